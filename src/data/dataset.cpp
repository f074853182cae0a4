#include "mpbench/data/dataset.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/data/cache.hpp"
#include "mpbench/data/idx.hpp"
#include "mpbench/data/mammogram.hpp"
#include "mpbench/data/preprocess.hpp"
#include "mpbench/data/rsna.hpp"
#include "mpbench/dicom/synthetic_set.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int rsna_default_size = 124;

enum class Kind { cache, rsna, idx, synthetic };

Kind recognise(const fs::path& path) {
  if (!fs::exists(path)) throw InputError(path, "data", "there is no such file or folder");
  if (fs::is_regular_file(path)) return Kind::cache;
  if (is_rsna_folder(path)) return is_synthetic_folder(path) ? Kind::synthetic : Kind::rsna;
  if (is_idx_folder(path)) return Kind::idx;
  throw InputError(path, "train.csv",
                   "there is no such file, nor train-images-idx3-ubyte: this folder is neither an "
                   "RSNA folder (train.csv and train_images/<patient_id>/<image_id>.dcm) nor an "
                   "idx folder");
}

Kind choose_kind(const DatasetOptions& options) {
  const auto& name = options.dataset;
  if (name == "folder" || name == "cifar100") {
    throw UsageError(fmt::format("dataset '{}' is not in this version", name));
  }
  constexpr std::array names{"auto", "rsna", "idx", "synthetic"};
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(fmt::format("unknown dataset '{}': auto, rsna, idx or synthetic", name));
  }
  if (options.path.empty()) {
    if (name == "auto" || name == "synthetic") return Kind::synthetic;
    throw UsageError(fmt::format("dataset '{}' needs a path to its data", name));
  }
  if (name == "auto" || fs::is_regular_file(options.path)) return recognise(options.path);
  if (!fs::exists(options.path)) return recognise(options.path);  // throws
  if (name == "idx") return Kind::idx;
  return name == "rsna" ? Kind::rsna : Kind::synthetic;
}

/// Whole patients of an already preprocessed set, as limit_patients chooses them.
ImageSet limit_samples(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0 || limit >= set.size()) return set;
  RsnaTable table;
  for (const auto& sample : set.samples) {
    table.images.push_back({.patient_id = sample.group,
                            .image_id = sample.id,
                            .laterality = 'L',
                            .view = "",
                            .cancer = sample.label > 0 ? 1 : 0});
  }
  const auto limited = limit_patients(table, limit);
  std::vector<std::int64_t> indices;
  std::size_t at = 0;
  for (const auto& image : limited.images) {  // both are in the set's order
    while (set.samples[at].id != image.image_id) ++at;
    indices.push_back(static_cast<std::int64_t>(at++));
  }
  return take(set, indices);
}

ImageSet open_cache_file(const DatasetOptions& options) {
  auto set = open_cache(options.path);
  if ((options.height > 0 && options.height != set.height) ||
      (options.width > 0 && options.width != set.width)) {
    throw UsageError(
        fmt::format("{} holds images of {} x {}, not {} x {}: run mpbench preprocess "
                    "for another size",
                    options.path.string(), set.height, set.width, options.height, options.width));
  }
  // A synthetic set is laid out as RSNA's, and its folder is taken for one as well.
  const bool laid_out_as_asked = options.dataset == "rsna" && set.dataset == "synthetic";
  if (options.dataset != "auto" && options.dataset != set.dataset && !laid_out_as_asked) {
    throw UsageError(fmt::format("{} is a cache of dataset '{}', not '{}'", options.path.string(),
                                 set.dataset, options.dataset));
  }
  return limit_samples(set, options.limit);
}

/// Prepares what is not in the cache yet, and opens the cache.
ImageSet open_prepared(const DatasetOptions& options, const ImageTable& table,
                       const PreprocessOptions& preprocess_options, const PrepareImage& prepare,
                       const ProgressFunction& progress) {
  fs::path cache = options.cache;
  if (cache.empty()) {
    // A folder a cache: its quarantine.csv lies beside it.
    cache = user_cache_folder() / "datasets" / preprocess_key(table, preprocess_options) /
            "images.safetensors";
  }
  const auto summary = preprocess(table, cache, preprocess_options, prepare, progress);
  if (summary.up_to_date) {
    spdlog::info("images are in {}", cache.string());
  } else {
    spdlog::info("preprocessed {} images in {:.1f} s into {}", summary.images, summary.seconds,
                 cache.string());
  }
  if (!summary.quarantined.empty()) {
    const auto& first = summary.quarantined.front();
    spdlog::warn("{} of {} inputs failed and are left out, named in {}; the first: {}: {}: {}",
                 summary.quarantined.size(), table.files.size(),
                 (cache.parent_path() / "quarantine.csv").string(), first.path.string(),
                 first.field, first.problem);
  }
  return open_cache(cache);
}

ImageSet open_rsna(const DatasetOptions& options, const fs::path& folder, const std::string& name,
                   const ProgressFunction& progress) {
  const auto table = to_image_table(limit_patients(read_rsna_table(folder), options.limit), name);
  PreprocessOptions preprocess_options;
  preprocess_options.height = options.height > 0 ? options.height : rsna_default_size;
  preprocess_options.width = options.width > 0 ? options.width : rsna_default_size;
  preprocess_options.pixel_type = options.pixel_type;
  preprocess_options.workers = options.workers;
  preprocess_options.wait_for_writer = true;
  const auto prepare = [&](const fs::path& path) {
    return prepare_mammogram(path, preprocess_options.height, preprocess_options.width, false);
  };
  return open_prepared(options, table, preprocess_options, prepare, progress);
}

/// Makes the synthetic set once, and beside its place first, so that a killed run leaves no half
/// set.
fs::path make_synthetic(const DatasetOptions& options, const ProgressFunction& progress) {
  dicom::SyntheticSetOptions synthetic;
  synthetic.patients = options.synthetic_patients;
  synthetic.seed = options.synthetic_seed;
  // The version, because another one may draw other images.
  const auto name =
      fmt::format("synthetic-{}-{}-{}x{}-{}-{}-{}", build_info::version(), synthetic.patients,
                  synthetic.height, synthetic.width, synthetic.seed,
                  dicom::to_string(synthetic.syntax), synthetic.positive_fraction);
  const fs::path folder = user_cache_folder() / "datasets" / name;
  if (is_rsna_folder(folder)) return folder;
  spdlog::info("making a synthetic set of {} patients in {}", synthetic.patients, folder.string());
  fs::create_directories(folder.parent_path());
  synthetic.out = folder.string() + fmt::format(".{}.part", ::getpid());
  try {
    dicom::write_synthetic_set(synthetic, progress);
    std::error_code error;
    fs::rename(synthetic.out, folder, error);
    // Another process may have made the same one meanwhile; the same options give the same bytes.
    if (error && !is_rsna_folder(folder)) {
      throw Error(fmt::format("{}: {}", folder.string(), error.message()));
    }
    fs::remove_all(synthetic.out);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(synthetic.out, ignored);
    throw;
  }
  return folder;
}

}  // namespace

fs::path user_cache_folder() {
  if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder != nullptr && *folder != '\0') {
    return fs::path(folder) / "mpbench";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / ".cache" / "mpbench";
  }
  throw Error("neither XDG_CACHE_HOME nor HOME is set: name a cache file");
}

ImageSet open_dataset(const DatasetOptions& options, const ProgressFunction& progress) {
  if (options.limit < 0 || options.height < 0 || options.width < 0) {
    throw UsageError("a limit and an image size must not be negative");
  }
  const Kind kind = choose_kind(options);
  const fs::path path = kind == Kind::synthetic && options.path.empty()
                            ? make_synthetic(options, progress)
                            : options.path;
  ImageSet set;
  const char* what = "";
  switch (kind) {
    case Kind::cache:
      what = "cache";
      set = open_cache_file(options);
      break;
    case Kind::idx:
      what = "idx folder";
      set = read_idx(path, {options.height, options.width, options.limit});
      break;
    case Kind::rsna:
      what = "RSNA folder";
      set = open_rsna(options, path, "rsna", progress);
      break;
    case Kind::synthetic:
      what = "synthetic set";
      set = open_rsna(options, path, "synthetic", progress);
      break;
  }
  spdlog::info("dataset {}: {} images of {} x {} x {}, {} classes, from {} {}", set.dataset,
               set.size(), set.channels, set.height, set.width, set.classes.size(), what,
               path.string());
  return set;
}

}  // namespace mpbench::data

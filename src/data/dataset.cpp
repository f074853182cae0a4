#include "mpbench/data/dataset.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "class_limit.hpp"
#include "dataset_kind.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/data/cache.hpp"
#include "mpbench/data/cifar.hpp"
#include "mpbench/data/idx.hpp"
#include "mpbench/data/image_folder.hpp"
#include "mpbench/data/mammogram.hpp"
#include "mpbench/data/picture.hpp"
#include "mpbench/data/rsna.hpp"
#include "mpbench/dicom/synthetic_set.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int rsna_default_size = 124;

/// Whole patients of an already preprocessed set, as limit_patients chooses them.
ImageSet limit_patients(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0 || limit >= set.size()) return set;
  RsnaTable table;
  for (const auto& sample : set.samples) {
    table.images.push_back({.patient_id = sample.group,
                            .image_id = sample.id,
                            .laterality = 'L',
                            .view = "",
                            .cancer = sample.label > 0 ? 1 : 0});
  }
  const auto limited = data::limit_patients(table, limit);
  std::vector<std::int64_t> indices;
  std::size_t at = 0;
  for (const auto& image : limited.images) {  // both are in the set's order
    while (set.samples[at].id != image.image_id) ++at;
    indices.push_back(static_cast<std::int64_t>(at++));
  }
  return take(set, indices);
}

/// As many of each class of an already preprocessed set, as limit_classes chooses them.
ImageSet limit_classes(const ImageSet& set, std::int64_t limit) {
  if (limit <= 0) return set;
  std::vector<bool> validation;
  if (set.given_split) {
    validation.resize(set.samples.size(), false);
    for (const auto i : set.given_split->validation) validation[static_cast<std::size_t>(i)] = true;
  }
  const auto chosen = data::limit_classes(set.samples, validation, limit);
  auto limited = take(set, chosen);
  if (set.given_split) {
    limited.given_split.emplace();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const bool validates = validation[static_cast<std::size_t>(chosen[i])];
      (validates ? limited.given_split->validation : limited.given_split->train)
          .push_back(static_cast<std::int64_t>(i));
    }
  }
  return limited;
}

/// The same for files that are not prepared yet.
ImageTable limit_classes(ImageTable table, std::int64_t limit) {
  if (limit <= 0) return table;
  std::vector<Sample> samples;
  std::vector<bool> validation;
  for (const auto& file : table.files) {
    samples.push_back(file.sample);
    if (table.has_split) validation.push_back(file.validation);
  }
  std::vector<ImageFile> limited;
  for (const auto place : data::limit_classes(samples, validation, limit)) {
    limited.push_back(std::move(table.files[static_cast<std::size_t>(place)]));
  }
  table.files = std::move(limited);
  return table;
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
  return set.dataset == "folder" ? limit_classes(set, options.limit)
                                 : limit_patients(set, options.limit);
}

int size_or(int asked, int otherwise) { return asked > 0 ? asked : otherwise; }

ImageSource rsna_source(const DatasetOptions& options, const fs::path& folder,
                        const std::string& dataset) {
  const auto table = data::limit_patients(read_rsna_table(folder), options.limit);
  const int height = size_or(options.height, rsna_default_size);
  const int width = size_or(options.width, rsna_default_size);
  return {.table = to_image_table(table, dataset),
          .height = height,
          .width = width,
          .prepare =
              [height, width, exact = options.exact](const fs::path& path) {
                return prepare_mammogram(path, height, width, exact);
              },
          .show_whole = show_mammogram};
}

ImageSource folder_source(const DatasetOptions& options) {
  auto table = read_image_folder(options.path);
  // Of all pictures, also with a limit: a smoke run's are as those of the real one.
  const auto common = common_format(table, options.height == 0 || options.width == 0);
  table.channels = common.channels;
  const int height = size_or(options.height, common.height);
  const int width = size_or(options.width, common.width);
  return {.table = limit_classes(std::move(table), options.limit),
          .height = height,
          .width = width,
          .prepare =
              [height, width, channels = common.channels](const fs::path& path) {
                return prepare_picture(path, height, width, channels);
              },
          .show_whole = show_picture};
}

/// Prepares what is not in the cache yet, and opens the cache.
ImageSet open_prepared(const DatasetOptions& options, const ImageSource& source,
                       const ProgressFunction& progress) {
  PreprocessOptions preprocess_options;
  preprocess_options.height = source.height;
  preprocess_options.width = source.width;
  preprocess_options.pixel_type = options.pixel_type;
  preprocess_options.exact = options.exact;
  preprocess_options.workers = options.workers;
  preprocess_options.wait_for_writer = true;
  fs::path cache = options.cache;
  if (cache.empty()) {
    // A folder a cache: its quarantine.csv lies beside it.
    cache = user_cache_folder() / "datasets" / preprocess_key(source.table, preprocess_options) /
            "images.safetensors";
  }
  const auto summary =
      preprocess(source.table, cache, preprocess_options, source.prepare, progress);
  if (summary.up_to_date) {
    spdlog::info("images are in {}", cache.string());
  } else {
    spdlog::info("preprocessed {} images in {:.1f} s into {}", summary.images, summary.seconds,
                 cache.string());
  }
  if (!summary.quarantined.empty()) {
    const auto& first = summary.quarantined.front();
    spdlog::warn("{} of {} inputs failed and are left out, named in {}; the first: {}: {}: {}",
                 summary.quarantined.size(), source.table.files.size(),
                 (cache.parent_path() / "quarantine.csv").string(), first.path.string(),
                 first.field, first.problem);
  }
  return open_cache(cache);
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

ImageSource open_source(const DatasetOptions& options) {
  if (options.path.empty()) throw UsageError("a path to the data is needed");
  const auto kind = choose_kind(options);
  if (kind == DatasetKind::rsna) return rsna_source(options, options.path, "rsna");
  if (kind == DatasetKind::synthetic) return rsna_source(options, options.path, "synthetic");
  if (kind == DatasetKind::folder) return folder_source(options);
  throw UsageError(fmt::format("{} is {} {}: it is read as it is, without preprocessing",
                               options.path.string(), kind == DatasetKind::idx ? "an" : "a",
                               describe(kind)));
}

ImageSet open_dataset(const DatasetOptions& options, const ProgressFunction& progress) {
  if (options.limit < 0 || options.height < 0 || options.width < 0) {
    throw UsageError("a limit and an image size must not be negative");
  }
  const auto kind = choose_kind(options);
  ImageSet set;
  fs::path path = options.path;
  switch (kind) {
    case DatasetKind::cache:
      set = open_cache_file(options);
      break;
    case DatasetKind::idx:
      set = read_idx(path, {options.height, options.width, options.limit});
      break;
    case DatasetKind::cifar10:
    case DatasetKind::cifar100:
      set = read_cifar(path, kind == DatasetKind::cifar10 ? Cifar::cifar10 : Cifar::cifar100,
                       {options.height, options.width, options.limit});
      break;
    case DatasetKind::synthetic:
      if (path.empty()) path = make_synthetic(options, progress);
      set = open_prepared(options, rsna_source(options, path, "synthetic"), progress);
      break;
    case DatasetKind::rsna:
    case DatasetKind::folder:
      set = open_prepared(options, open_source(options), progress);
      break;
  }
  spdlog::info("dataset {}: {} images of {} x {} x {}, {} classes, from {} {}", set.dataset,
               set.size(), set.channels, set.height, set.width, set.classes.size(), describe(kind),
               path.string());
  return set;
}

}  // namespace mpbench::data

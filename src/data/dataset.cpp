#include "mpbench/data/dataset.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "cache/cache.hpp"
#include "cache/cache_format.hpp"
#include "data_hints.hpp"
#include "dataset_kind.hpp"
#include "dataset_limit.hpp"
#include "formats/cifar.hpp"
#include "formats/idx.hpp"
#include "formats/image_folder.hpp"
#include "formats/rsna.hpp"
#include "image/mammogram.hpp"
#include "image/picture.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/synth/synthetic_set.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int rsna_default_size = 124;
constexpr const char* rsna_name = "rsna";
constexpr const char* rsna_png_name = "rsna-png";
// Datasets without labels.
constexpr const char* rsna_test_name = "rsna-test";
constexpr const char* pictures_name = "pictures";

ImageSet open_cache_file(const DatasetOptions& options) {
  auto set = open_cache(options.path);
  if ((options.height > 0 && options.height != set.height) ||
      (options.width > 0 && options.width != set.width)) {
    throw UsageError(
        fmt::format("{} holds images of {} x {}, not {} x {}: run mpbench preprocess "
                    "for another size",
                    options.path.string(), set.height, set.width, options.height, options.width));
  }
  // A synthetic set is laid out as RSNA's, and its folder is taken for one as well; pictures of
  // RSNA's images likewise.
  const bool laid_out_as_asked =
      options.dataset == rsna_name && (set.dataset == "synthetic" || set.dataset == rsna_png_name);
  if (options.dataset != "auto" && options.dataset != set.dataset && !laid_out_as_asked) {
    throw UsageError(fmt::format("{} is a cache of dataset '{}', not '{}'", options.path.string(),
                                 set.dataset, options.dataset));
  }
  const bool has_patients = set.dataset != "folder" && set.dataset != pictures_name;
  return has_patients ? limit_patients(set, options.limit) : limit_classes(set, options.limit);
}

int size_or(int asked, int otherwise) { return asked > 0 ? asked : otherwise; }

/// `dataset` is the name where it is not the format's.
ImageSource rsna_source(const DatasetOptions& options, RsnaTable all,
                        std::optional<std::string> dataset = {}) {
  locate_images(all);
  const bool are_pictures = all.format == RsnaFormat::picture;
  if (options.dataset == rsna_png_name && !are_pictures) {
    throw InputError(all.folder, "images",
                     "these are DICOM files: --dataset rsna takes them, rsna-png takes pictures");
  }
  const auto table = data::limit_patients(all, options.limit);
  const int height = size_or(options.height, rsna_default_size);
  const int width = size_or(options.width, rsna_default_size);
  ImageSource source{
      .table = to_image_table(table, dataset.value_or(are_pictures ? rsna_png_name : rsna_name)),
      .height = height,
      .width = width,
      .prepare = {},
      .show_whole = are_pictures ? show_mammogram_picture : show_mammogram};
  if (are_pictures) {
    source.prepare = [height, width](const fs::path& path) {
      return prepare_mammogram_picture(path, height, width);
    };
  } else {
    source.prepare = [height, width, exact = options.exact](const fs::path& path) {
      return prepare_mammogram(path, height, width, exact);
    };
  }
  return source;
}

ImageSource picture_source(const DatasetOptions& options, ImageTable table) {
  // Of all pictures, also with a limit: a smoke run's are as those of the real one.
  const auto common = common_format(table, options.height == 0 || options.width == 0);
  table.channels = size_or(options.channels, common.channels);
  const int height = size_or(options.height, common.height);
  const int width = size_or(options.width, common.width);
  return {.table = limit_classes(std::move(table), options.limit),
          .height = height,
          .width = width,
          .prepare =
              [height, width, channels = table.channels](const fs::path& path) {
                return prepare_picture(path, height, width, channels);
              },
          .show_whole = show_picture};
}

/// A dataset's images, and what was left out of them.
struct Prepared {
  ImageSet set;
  std::vector<Quarantined> quarantined;
  fs::path quarantine;
};

/// Prepares what is not in the cache yet, and opens the cache.
Prepared open_prepared(const DatasetOptions& options, const ImageSource& source,
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
  auto summary = preprocess(source.table, cache, preprocess_options, source.prepare, progress);
  if (summary.up_to_date) {
    spdlog::info("images are in {}", cache.string());
  } else {
    spdlog::info("preprocessed {} images in {:.1f} s into {}", summary.images, summary.seconds,
                 cache.string());
  }
  return {.set = open_cache(cache),
          .quarantined = std::move(summary.quarantined),
          .quarantine = cache.parent_path() / "quarantine.csv"};
}

ImageSet open_and_warn(const DatasetOptions& options, const ImageSource& source,
                       const ProgressFunction& progress) {
  auto prepared = open_prepared(options, source, progress);
  if (!prepared.quarantined.empty()) {
    const auto& first = prepared.quarantined.front();
    spdlog::warn("{} of {} inputs failed and are left out, named in {}; the first: {}: {}: {}",
                 prepared.quarantined.size(), source.table.files.size(),
                 prepared.quarantine.string(), first.path.string(), first.field, first.problem);
  }
  return std::move(prepared.set);
}

/// Makes the synthetic set once, and beside its place first, so that a killed run leaves no half
/// set.
fs::path make_synthetic(const DatasetOptions& options, const ProgressFunction& progress) {
  synth::SyntheticSetOptions synthetic;
  synthetic.patients = options.synthetic_patients;
  synthetic.seed = options.synthetic_seed;
  // The version, because another one may draw other images.
  const auto name =
      fmt::format("synthetic-{}-{}-{}x{}-{}-{}-{}", build_info::version(), synthetic.patients,
                  synthetic.height, synthetic.width, synthetic.seed,
                  synth::to_string(synthetic.syntax), synthetic.positive_fraction);
  const fs::path folder = user_cache_folder() / "datasets" / name;
  if (is_rsna_folder(folder)) return folder;
  spdlog::info("making a synthetic set of {} patients in {}", synthetic.patients, folder.string());
  fs::create_directories(folder.parent_path());
  synthetic.out = folder.string() + fmt::format(".{}.part", ::getpid());
  try {
    synth::write_synthetic_set(synthetic, progress);
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

void check_numbers(const DatasetOptions& options) {
  if (options.limit < 0 || options.height < 0 || options.width < 0) {
    throw UsageError("a limit and an image size must not be negative");
  }
}

void log_opened(const ImageSet& set, const char* kind, const fs::path& path) {
  spdlog::info("dataset {}: {} images of {} x {} x {}, {} classes, from {} {}", set.dataset,
               set.size(), set.channels, set.height, set.width, set.classes.size(), kind,
               path.string());
}

/// Pictures that are in no class's folder, where nothing else says what the folder is.
bool is_picture_folder(const fs::path& folder) {
  return holds_pictures(folder) && !is_image_folder(folder) && !is_rsna_folder(folder) &&
         !is_idx_folder(folder) && !is_cifar_folder(folder, Cifar::cifar10) &&
         !is_cifar_folder(folder, Cifar::cifar100);
}

ImageSource rsna_test_source(const DatasetOptions& options) {
  const auto table = read_rsna_test_table(options.path);
  if (options.dataset == "auto" && is_rsna_folder(options.path)) {
    spdlog::info("{}: test.csv is read; --dataset rsna takes train.csv", options.path.string());
  }
  return rsna_source(options, table,
                     table.labelled ? std::nullopt : std::optional<std::string>(rsna_test_name));
}

/// What is prepared file by file; nothing for a folder that is read as it is.
std::optional<ImageSource> prediction_source(const DatasetOptions& options) {
  const bool automatic = options.dataset == "auto";
  if (options.dataset == rsna_test_name || (automatic && is_rsna_test_folder(options.path))) {
    return rsna_test_source(options);
  }
  if (options.dataset == pictures_name || (automatic && is_picture_folder(options.path))) {
    return picture_source(options, read_pictures(options.path));
  }
  const auto kind = choose_kind(options);
  const bool is_prepared = kind == DatasetKind::rsna || kind == DatasetKind::rsna_png ||
                           kind == DatasetKind::synthetic || kind == DatasetKind::folder;
  return is_prepared ? std::optional(open_source(options)) : std::nullopt;
}

PredictionData open_cache_for_prediction(const DatasetOptions& options) {
  PredictionData data{.set = open_cache_file(options), .left_out = read_quarantined(options.path)};
  if (!data.left_out.empty()) {
    data.quarantine = containing_folder(options.path) / "quarantine.csv";
  }
  log_opened(data.set, describe(DatasetKind::cache), options.path);
  return data;
}

std::vector<std::string> lost_units(const ImageTable& table, const ImageSet& set) {
  std::unordered_set<std::string_view> seen;
  for (const auto& sample : set.samples) seen.insert(sample.unit);
  std::vector<std::string> lost;
  for (const auto& file : table.files) {
    if (seen.insert(file.sample.unit).second) lost.push_back(file.sample.unit);
  }
  return lost;
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
  if (kind == DatasetKind::rsna || kind == DatasetKind::rsna_png) {
    return rsna_source(options, read_rsna_table(options.path));
  }
  if (kind == DatasetKind::synthetic) {
    return rsna_source(options, read_rsna_table(options.path), "synthetic");
  }
  if (kind == DatasetKind::folder) {
    return picture_source(options, read_image_folder(options.path));
  }
  throw UsageError(fmt::format("{} is {} {}: it is read as it is, without preprocessing",
                               options.path.string(), kind == DatasetKind::idx ? "an" : "a",
                               describe(kind)));
}

ImageSet open_dataset(const DatasetOptions& options, const ProgressFunction& progress) {
  check_numbers(options);
  const auto kind = choose_kind(options);
  ImageSet set;
  fs::path path = options.path;
  switch (kind) {
    case DatasetKind::cache:
      set = open_cache_file(options);
      if (!is_labelled(set)) {
        throw InputError(path, "labels", "there are none: mpbench predict alone can use it");
      }
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
      set = open_and_warn(options, rsna_source(options, read_rsna_table(path), "synthetic"),
                          progress);
      break;
    case DatasetKind::rsna:
    case DatasetKind::rsna_png:
    case DatasetKind::folder:
      set = open_and_warn(options, open_source(options), progress);
      break;
  }
  require_two_classes(set, options.limit);
  log_opened(set, describe(set.dataset == rsna_png_name ? DatasetKind::rsna_png : kind), path);
  return set;
}

bool is_labelled(const ImageSet& set) {
  return set.dataset != rsna_test_name && set.dataset != pictures_name;
}

PredictionData open_for_prediction(const DatasetOptions& options,
                                   const ProgressFunction& progress) {
  check_numbers(options);
  std::error_code error;
  if (fs::is_regular_file(options.path, error)) {
    if (const auto hint = explain_file(options.path)) {
      throw InputError(options.path, "data", *hint);
    }
    return open_cache_for_prediction(options);
  }
  if (!fs::is_directory(options.path, error)) {
    throw InputError(options.path, "data",
                     error ? error.message() : "it is neither a file nor a folder");
  }
  const auto source = prediction_source(options);
  if (!source) return {.set = open_dataset(options, progress)};

  auto prepared = open_prepared(options, *source, progress);
  log_opened(prepared.set, "folder", options.path);
  PredictionData data{.lost_units = lost_units(source->table, prepared.set)};
  data.set = std::move(prepared.set);
  if (!prepared.quarantined.empty()) data.quarantine = std::move(prepared.quarantine);
  data.left_out = std::move(prepared.quarantined);
  return data;
}

}  // namespace mpbench::data

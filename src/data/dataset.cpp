#include "mpbench/data/dataset.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <string_view>
#include <unordered_set>

#include "cache/cache.hpp"
#include "cache/cache_format.hpp"
#include "data_hints.hpp"
#include "formats/dataset_format.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "subset.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

/// A dataset's images, and what was left out of them.
struct Prepared {
  ImageDataset set;
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
  preprocess_options.preparation = source.preparation;
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

ImageDataset open_and_warn(const DatasetOptions& options, const ImageSource& source,
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

void check_numbers(const DatasetOptions& options) {
  if (options.limit < 0 || options.height < 0 || options.width < 0) {
    throw UsageError("a limit and an image size must not be negative");
  }
}

void log_opened(const ImageDataset& set, const char* kind, const fs::path& path) {
  spdlog::info("dataset {}: {} images of {} x {} x {}, {} classes, from {} {}", set.dataset,
               set.size(), set.channels, set.height, set.width, set.classes.size(), kind,
               path.string());
}

PredictionData open_cache_for_prediction(const DatasetOptions& options) {
  PredictionData data{.set = open_cache_file(options), .left_out = read_quarantined(options.path)};
  if (!data.left_out.empty()) {
    data.quarantine = containing_folder(options.path) / "quarantine.csv";
  }
  log_opened(data.set, cache_format.description, options.path);
  return data;
}

std::vector<std::string> lost_cases(const ImageManifest& table, const ImageDataset& set) {
  std::unordered_set<std::string_view> seen;
  for (const auto& sample : set.samples) seen.insert(sample.case_id);
  std::vector<std::string> lost;
  for (const auto& file : table.files) {
    if (seen.insert(file.sample.case_id).second) lost.push_back(file.sample.case_id);
  }
  return lost;
}

/// open_dataset, where the format is known.
ImageDataset open_as(const DatasetFormat& format, const DatasetOptions& options,
                     const ProgressFunction& progress) {
  DatasetOptions found = options;
  if (options.path.empty()) found.path = format.make(options, progress);
  ImageDataset set = format.read != nullptr ? format.read(found)
                                            : open_and_warn(found, format.source(found), progress);
  require_two_classes(set, options.limit);
  // An RSNA folder may turn out to be one of images.
  const DatasetFormat* turned_out = format.source != nullptr ? find_format(set.dataset) : &format;
  log_opened(set, turned_out->description, found.path);
  return set;
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
  const DatasetFormat& format = choose_format(options);
  if (format.source != nullptr) return format.source(options);
  throw UsageError(fmt::format("{} is {} {}: it is read as it is, without preprocessing",
                               options.path.string(), format.description[0] == 'i' ? "an" : "a",
                               format.description));
}

ImageDataset open_dataset(const DatasetOptions& options, const ProgressFunction& progress) {
  check_numbers(options);
  return open_as(choose_format(options), options, progress);
}

bool is_labelled(const ImageDataset& set) {
  const DatasetFormat* format = find_format(set.dataset);
  return format == nullptr || format->is_labelled;
}

bool has_cases(const ImageDataset& set) {
  const DatasetFormat* format = find_format(set.dataset);
  return format != nullptr && format->has_cases;
}

bool has_numbered_classes(const ImageDataset& set) {
  const DatasetFormat* format = find_format(set.dataset);
  return format != nullptr && format->has_numbered_classes;
}

bool is_synthetic(const ImageDataset& set) {
  const DatasetFormat* format = find_format(set.dataset);
  return format != nullptr && format->is_synthetic;
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
  const DatasetFormat& format = choose_format(options, /*unlabelled=*/true);
  if (format.source == nullptr) return {.set = open_as(format, options, progress)};

  const ImageSource source = format.source(options);
  auto prepared = open_prepared(options, source, progress);
  log_opened(prepared.set, "folder", options.path);
  PredictionData data{.lost_cases = lost_cases(source.table, prepared.set)};
  data.set = std::move(prepared.set);
  if (!prepared.quarantined.empty()) data.quarantine = std::move(prepared.quarantine);
  data.left_out = std::move(prepared.quarantined);
  return data;
}

}  // namespace mpbench::data

#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "mpbench/core/progress.hpp"
#include "mpbench/data/dataset.hpp"

namespace mpbench::data {

/// One way in which a dataset is stored: how it is recognized, what is known of it, how it is
/// opened. A new one is a file that defines such a constant, and a line in formats.cpp; where it
/// can be trained on, its name is in dataset_names (dataset_options.hpp) too.
struct DatasetFormat {
  const char* name;         ///< --dataset's word, and ImageDataset::dataset
  const char* description;  ///< "RSNA folder", for the log
  /// What its folder holds, for the error of one that holds nothing known; empty: not said.
  const char* expected = "";
  bool is_labelled = true;    ///< else predict alone takes it
  bool has_cases = false;     ///< its units are breasts, its groups patients
  bool is_synthetic = false;  ///< results on it must say so
  /// Its classes are "0", "1", ... up to the largest label that occurs.
  bool has_numbered_classes = false;
  /// The name whose layout this one shares, so that the user may have meant either; empty: none.
  const char* laid_out_as = "";

  /// Whether a folder is one, where the user did not say. Throws InputError for a folder that is
  /// two things at once.
  bool (*recognizes)(const std::filesystem::path& folder) = [](const auto&) { return false; };
  /// Whether the files that tell this format are in a folder; null: its reader says what is
  /// missing.
  bool (*has_files)(const std::filesystem::path& folder) = nullptr;
  /// Makes the data where the user names none, and returns their folder; null: a path is needed.
  std::filesystem::path (*make)(const DatasetOptions& options,
                                const ProgressFunction& progress) = nullptr;
  // One of the two: images that are prepared file by file, or a set that is read as it is.
  ImageSource (*source)(const DatasetOptions& options) = nullptr;
  ImageDataset (*read)(const DatasetOptions& options) = nullptr;
};

extern const DatasetFormat rsna_format, rsna_png_format, synthetic_format, rsna_test_format;
extern const DatasetFormat idx_format;
extern const DatasetFormat cifar10_format, cifar100_format;
extern const DatasetFormat image_folder_format, unlabelled_images_format;
extern const DatasetFormat cache_format;

/// In the order in which they are recognized.
std::span<const DatasetFormat* const> all_formats();

/// The format whose name a set has; null for one of no format, as a damaged cache may name.
const DatasetFormat* find_format(std::string_view name);

/// What the user says it is, or what it looks like where that is left open. `unlabelled` takes
/// formats into account that only predict can use. Throws UsageError for an unknown name and for a
/// name without a path, InputError for a path that is nothing known, or two things at once.
const DatasetFormat& choose_format(const DatasetOptions& options, bool unlabelled = false);

/// A cache file's images; as DatasetFormat::read, labels or not.
ImageDataset open_cache_file(const DatasetOptions& options);

}  // namespace mpbench::data

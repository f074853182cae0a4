#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "mpbench/data/image_dataset.hpp"

namespace mpbench::data {

/// Which images a run is about, in the user's words.
struct DatasetOptions {
  /// auto, rsna, rsna-png, folder, cifar100, cifar10, idx or synthetic
  std::string dataset = "auto";
  std::filesystem::path path;  ///< a dataset's folder or a cache file; empty: the synthetic default
  /// 0: the data's own (idx, CIFAR, a cache), 124 (rsna and rsna-png), common_format's (folder).
  int height = 0;
  int width = 0;
  int channels = 0;        ///< of a folder's images; 0: one where all are grey, else three
  std::int64_t limit = 0;  ///< about this many images for a smoke run; 0: all
  int workers = 0;         ///< threads that preprocess; 0: one a core
  PixelType pixel_type = PixelType::u8;
  bool exact = false;           ///< rsna: forbid decoding at a reduced resolution
  std::filesystem::path cache;  ///< where preprocessed images go; empty: in the user's cache folder
  int synthetic_patients = 64;
  std::uint64_t synthetic_seed = 0;

  /// Whether the dataset is to be recognized by its files.
  bool is_automatic() const { return dataset == automatic; }
  /// Whether there have to be files, as the dataset cannot be made.
  bool needs_path() const;

  static constexpr std::string_view automatic = "auto";
};

/// What --dataset takes beside "auto". src/data/formats has what each of them is.
struct DatasetName {
  std::string_view name;
  int classes = 0;           ///< 0: known once the files are read
  bool can_be_made = false;  ///< without any files
};
inline constexpr std::array dataset_names{DatasetName{"rsna"},
                                          DatasetName{"rsna-png"},
                                          DatasetName{"folder"},
                                          DatasetName{"cifar100", 100},
                                          DatasetName{"cifar10", 10},
                                          DatasetName{"idx"},
                                          DatasetName{.name = "synthetic", .can_be_made = true}};

/// DatasetName::classes of that name; 0 for an unknown one.
int classes_of_dataset(std::string_view name);

/// Throws UsageError for a dataset that open_dataset does not know.
void require_dataset(const std::string& name);

}  // namespace mpbench::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_set.hpp"

namespace mpbench::data {

/// Which images a run is about, in the user's words.
struct DatasetOptions {
  std::string dataset = "auto";  ///< auto, rsna, idx, folder, cifar100 or synthetic
  std::filesystem::path path;  ///< a dataset's folder or a cache file; empty: the synthetic default
  int height = 0;              ///< 0: the data's own (idx, a cache), or 124 (rsna)
  int width = 0;
  std::int64_t limit = 0;  ///< about this many images for a smoke run; 0: all
  int workers = 0;         ///< threads that preprocess; 0: one a core
  PixelType pixel_type = PixelType::u8;
  std::filesystem::path cache;  ///< where preprocessed images go; empty: in the user's cache folder
  int synthetic_patients = 64;
  std::uint64_t synthetic_seed = 0;
};

/// Opens a dataset, preprocessing it first where needed, and says on the log what it took it for:
/// a file is a cache; a folder with train.csv is rsna; one with train-images-idx3-ubyte[.gz] is
/// idx; "synthetic", or no path at all, makes a synthetic RSNA set once and keeps it in the user's
/// cache folder. `limit` takes whole patients (rsna) or as many images of each class (idx: of the
/// training images, and a fifth as many for validation), always the same ones. Throws UsageError
/// for an unknown dataset, InputError for one that is not what it should be, Interrupted.
ImageSet open_dataset(const DatasetOptions& options, const ProgressFunction& progress);

/// `$XDG_CACHE_HOME/mpbench`, or `~/.cache/mpbench`. Throws Error when neither variable is set.
std::filesystem::path user_cache_folder();

}  // namespace mpbench::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "mpbench/image/prepared_image.hpp"

/// A preprocessed dataset in one safetensors file that is mapped, not read:
///   images       [N, C, H, W] U8 or U16
///   labels       [N] I64
///   digests      [N, 32] U8   SHA-256 of each image's bytes
///   samples      [bytes] U8   JSON {"id": [...], "group": [...], "unit": [...]}, and "validation"
///                             where the dataset has a split of its own
///   quarantine   [bytes] U8   JSON [[path, field, problem], ...]
///   preparations [bytes] U8   JSON, one object an image: path, window, crop [x, y, width, height],
///                             breast_found, reduction, notes
/// and metadata: format, version, dataset, classes (JSON), key, options (JSON), source, left_out,
/// input_times (a digest of the inputs' time stamps)
/// and table_digest, which covers all but the images: the SHA-256 of one line for each other
/// metadata entry in the order of their names ("SHA-256-of-name SHA-256-of-value") and one for each
/// tensor after the first (its SHA-256), in hexadecimal.
namespace mpbench::data {

/// Changes whenever the same inputs and options give other bytes; a cache of another version is
/// refused.
inline constexpr int cache_version = 3;

/// What a cache says about itself.
struct CacheInfo {
  int version = 0;
  std::string dataset;
  std::string key;
  std::string source;         ///< the folder it was made from
  std::string options;        ///< JSON
  std::string input_times;    ///< SHA-256 of the inputs' time stamps
  std::int64_t left_out = 0;  ///< inputs that failed, named in quarantine.csv
};

/// Reads a cache's metadata. Throws InputError when the file is truncated, not a cache, or a cache
/// of another version: then it says which it has, which is wanted, and to run preprocess again.
CacheInfo read_cache_info(const std::filesystem::path& path);

/// Maps a cache and compares every image and table with its digest. Throws as read_cache_info,
/// InputError when its parts do not fit together or one of them is damaged, Interrupted.
ImageDataset open_cache(const std::filesystem::path& path);

/// How one image of a cache was made.
struct CachedPreparation {
  std::filesystem::path path;  ///< relative to CacheInfo::source
  image::Preparation preparation;
};

/// How each image was made, in the cache's order. Throws InputError.
std::vector<CachedPreparation> read_preparations(const std::filesystem::path& path);

}  // namespace mpbench::data

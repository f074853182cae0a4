#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/data/image_set.hpp"

/// A preprocessed dataset in one safetensors file that is mapped, not read:
///   images  [N, C, H, W] U8 or U16
///   labels  [N] I64
///   digests [N, 32] U8     SHA-256 of each image's bytes
///   samples [bytes] U8     JSON {"id": [...], "group": [...], "unit": [...]}
/// and metadata: format, version, dataset, classes (JSON), key, options (JSON), source, left_out.
namespace mpbench::data {

/// Changes whenever the same inputs and options give other bytes; a cache of another version is
/// refused.
inline constexpr int cache_version = 1;

/// What a cache says about itself.
struct CacheInfo {
  int version = 0;
  std::string dataset;
  std::string key;
  std::string source;         ///< the folder it was made from
  std::string options;        ///< JSON
  std::int64_t left_out = 0;  ///< inputs that failed, named in quarantine.csv
};

/// Reads a cache's metadata. Throws InputError when the file is truncated, not a cache, or a cache
/// of another version: then it says which it has, which is wanted, and to run preprocess again.
CacheInfo read_cache_info(const std::filesystem::path& path);

/// Maps a cache. Throws as read_cache_info, and InputError when its parts do not fit together.
ImageSet open_cache(const std::filesystem::path& path);

}  // namespace mpbench::data

#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/data/image_set.hpp"
#include "mpbench/data/preprocess.hpp"

namespace mpbench::data {

inline constexpr std::string_view cache_format_name = "mpbench image cache";

/// All of a cache but its pixels.
struct CacheContents {
  std::string dataset;
  std::string key;
  std::string source;
  std::string options;  ///< JSON
  std::vector<std::string> classes;
  int channels = 1;
  int height = 0;
  int width = 0;
  PixelType pixel_type = PixelType::u8;
  std::vector<Sample> samples;
  std::vector<std::string> digests;      ///< one a sample, hexadecimal
  std::vector<Quarantined> quarantined;  ///< paths relative to the source
};

/// Writes a cache; `read_image` fills in the pixels of one sample after the other.
void write_cache(const std::filesystem::path& path, const CacheContents& contents,
                 const std::function<void(std::size_t, std::span<std::byte>)>& read_image);

/// What was left out of a cache when it was made; paths relative to its source.
std::vector<Quarantined> read_quarantined(const std::filesystem::path& path);

/// Whether a file begins as a cache does, of whatever version, whole or not: only such a file may
/// be replaced.
bool begins_like_cache(const std::filesystem::path& path);

}  // namespace mpbench::data

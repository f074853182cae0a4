#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "mpbench/data/preprocess.hpp"
#include "mpbench/image/prepared_image.hpp"
#include "mpbench/io/safetensors.hpp"

namespace mpbench::data {

inline constexpr std::string_view cache_format_name = "mpbench image cache";
inline constexpr std::size_t digest_bytes = 32;

/// All of a cache but its pixels.
struct CacheContents {
  std::string dataset;
  std::string key;
  std::string source;
  std::string options;  ///< JSON
  std::string input_times;
  std::vector<std::string> classes;
  int channels = 1;
  int height = 0;
  int width = 0;
  PixelType pixel_type = PixelType::u8;
  std::vector<Sample> samples;
  std::vector<bool> validation;           ///< one a sample; empty where there is no split
  std::vector<std::string> digests;       ///< one a sample, hexadecimal
  std::vector<std::string> preparations;  ///< one a sample, as preparation_json gives them
  std::vector<Quarantined> quarantined;   ///< paths relative to the source
};

/// Writes a cache; `read_image` fills in the pixels of one sample after the other.
void write_cache(const std::filesystem::path& path, const CacheContents& contents,
                 const std::function<void(std::size_t, std::span<std::byte>)>& read_image);

/// The bytes that hexadecimal digits stand for.
std::vector<std::byte> from_hex(const std::string& digits);

/// A file's path in its dataset and how it became an image, as JSON. Bytes of a damaged file that
/// are no UTF-8 are replaced.
std::string preparation_json(const std::filesystem::path& path,
                             const image::Preparation& preparation);

/// Of all that a cache holds but its pixels: for metadata "table_digest".
std::string table_digest(const safetensors::Metadata& metadata,
                         const std::vector<std::span<const std::byte>>& tables);

/// Compares each image with its digest, in all the machine's threads. Throws InputError naming the
/// first that differs, Interrupted.
void verify_images(const std::filesystem::path& path, const ImageDataset& set,
                   std::span<const std::byte> digests);

/// What was left out of a cache when it was made; paths relative to its source.
std::vector<Quarantined> read_quarantined(const std::filesystem::path& path);

/// Whether a file begins as a cache does, of whatever version, whole or not: only such a file may
/// be replaced.
bool begins_like_cache(const std::filesystem::path& path);

}  // namespace mpbench::data

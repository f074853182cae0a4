#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/data/sample.hpp"
#include "mpbench/data/split.hpp"

namespace mpbench::data {

/// How a pixel is stored; its full range stands for [0, 1].
enum class PixelType { u8, u16 };

/// Bytes of one value: 1 or 2.
constexpr std::size_t pixel_bytes(PixelType type) { return type == PixelType::u8 ? 1 : 2; }
/// The value that stands for 1: 255 or 65535.
constexpr float pixel_maximum(PixelType type) { return type == PixelType::u8 ? 255.0F : 65535.0F; }
/// The safetensors name: "U8" or "U16".
constexpr std::string_view to_string(PixelType type) {
  return type == PixelType::u8 ? "U8" : "U16";
}

/// Labelled images of one size, ready to be batched. Copies are cheap and share the pixels.
struct ImageDataset {
  std::string dataset;  ///< "rsna", "idx" or "synthetic"
  int channels = 1;
  int height = 0;
  int width = 0;
  PixelType pixel_type = PixelType::u8;
  std::vector<std::string> classes;     ///< names; {"negative", "cancer"} for rsna
  std::vector<Sample> samples;          ///< N of them
  std::span<const std::byte> pixels;    ///< [N, C, H, W] row-major, native byte order
  std::shared_ptr<const void> storage;  ///< keeps `pixels` alive: a mapped file or a vector
  std::optional<Split> given_split;     ///< where the data brings its own (idx: train, t10k)
  std::string key;                      ///< identifies the content: goes into a run's config hash

  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  std::int64_t image_values() const { return std::int64_t{channels} * height * width; }
  std::size_t image_bytes() const {
    return static_cast<std::size_t>(image_values()) * pixel_bytes(pixel_type);
  }
  /// The bytes of one image [C, H, W].
  std::span<const std::byte> image(std::int64_t index) const {
    return pixels.subspan(static_cast<std::size_t>(index) * image_bytes(), image_bytes());
  }
};

/// A set that holds only the given images, in the given order, with pixels of its own.
/// `given_split` is not kept; `key` is derived from the set's and the chosen ids.
ImageDataset take(const ImageDataset& set, std::span<const std::int64_t> indices);

}  // namespace mpbench::data

#include <fmt/format.h>
#include <torch/types.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/data/loader.hpp"

namespace mpbench::data {
namespace {

/// Count, mean and sum of squared deviations, merged piece by piece (Chan, Golub and LeVeque,
/// 1979): one sum of squares over a whole training set would lose the digits that the variance is
/// made of.
struct Moments {
  double count = 0;
  double mean = 0;
  double squared_deviations = 0;

  void merge(const Moments& other) {
    const double all = count + other.count;
    const double delta = other.mean - mean;
    mean += delta * other.count / all;
    squared_deviations += other.squared_deviations + delta * delta * count * other.count / all;
    count = all;
  }
};

// Rows up to this long sum exactly: 65535² * 2^31 fits 64 bits.
constexpr std::ptrdiff_t longest_piece = std::ptrdiff_t{1} << 20;

template <typename Pixel>
Moments measure_piece(const Pixel* values, std::ptrdiff_t count) {
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const std::uint64_t value = values[i];
    sum += value;
    squares += value * value;
  }
  const long double exact_sum = sum;
  const long double variation = static_cast<long double>(squares) - exact_sum * exact_sum / count;
  return {static_cast<double>(count), static_cast<double>(exact_sum / count),
          static_cast<double>(variation)};
}

template <typename Pixel>
std::vector<Moments> measure(const ImageDataset& set, std::span<const std::int64_t> indices) {
  const std::ptrdiff_t plane = std::ptrdiff_t{set.height} * set.width;
  std::vector<Moments> channels(static_cast<std::size_t>(set.channels));
  for (const auto index : indices) {
    const auto* image = reinterpret_cast<const Pixel*>(set.image(index).data());
    for (std::size_t c = 0; c < channels.size(); ++c) {
      const Pixel* values = image + static_cast<std::ptrdiff_t>(c) * plane;
      for (std::ptrdiff_t at = 0; at < plane; at += longest_piece) {
        channels[c].merge(measure_piece(values + at, std::min(longest_piece, plane - at)));
      }
    }
  }
  return channels;
}

}  // namespace

Normalization measure_normalization(const ImageDataset& set,
                                    std::span<const std::int64_t> indices) {
  if (indices.empty()) throw Error("there are no images to measure a normalisation on");
  const auto channels = set.pixel_type == PixelType::u8 ? measure<std::uint8_t>(set, indices)
                                                        : measure<std::uint16_t>(set, indices);
  Normalization normalization;
  for (const auto& channel : channels) {
    const double deviation = std::sqrt(channel.squared_deviations / channel.count);
    if (!(deviation > 0)) {
      throw Error(fmt::format("all {} images have the same value everywhere: nothing to learn from",
                              indices.size()));
    }
    const double maximum = pixel_maximum(set.pixel_type);
    normalization.mean.push_back(static_cast<float>(channel.mean / maximum));
    normalization.stddev.push_back(static_cast<float>(deviation / maximum));
  }
  return normalization;
}

}  // namespace mpbench::data

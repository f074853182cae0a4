#pragma once

#include <ATen/Parallel.h>

#include <array>
#include <vector>

#include "../simd/vec.hpp"
#include "depthwise_kernels.hpp"

// The forward half of backward_simd.hpp, and what both halves use.

MPBENCH_TARGET_BEGIN

/// Outputs beside one another that are computed together: their sums stay in registers, and each
/// input is loaded and widened once for all that it takes part in.
#ifdef MPBENCH_SIMD_AVX512
constexpr int tile = 4;
#else
constexpr int tile = 2;
#endif

/// Stands for the pixels beside the image.
template <typename T>
inline constexpr std::array<T, block_width> zeros{};
template <>
inline const std::array<c10::BFloat16, block_width> zeros<c10::BFloat16>{};
template <>
inline const std::array<c10::Half, block_width> zeros<c10::Half>{};

/// A row of pixels, seen from one block of channels on.
template <typename T>
struct Row {
  const T* first;
  std::int64_t width;
  std::int64_t channels;

  template <bool inside>
  [[gnu::always_inline]] const T* pixel(std::int64_t column) const {
    if (!inside && (column < 0 || column >= width)) return zeros<T>.data();
    return first + column * channels;
  }
};

/// [C, 1, kernel, kernel] as [block][tap][position_in_block], zero beyond the last channel; and
/// back.
template <typename T>
class PackedFilters {
 public:
  PackedFilters(std::int64_t channels, std::int64_t taps)
      : channels_(channels), taps_(taps), values_(static_cast<std::size_t>(size()), 0.0F) {}

  std::int64_t blocks() const { return (channels_ + block_width - 1) / block_width; }
  std::int64_t size() const { return blocks() * taps_ * block_width; }
  std::int64_t index(std::int64_t channel, std::int64_t tap) const {
    return (channel / block_width * taps_ + tap) * block_width +
           position_in_block<T>(static_cast<int>(channel % block_width));
  }
  const float* block(std::int64_t number) const {
    return values_.data() + number * taps_ * block_width;
  }
  float& at(std::int64_t channel, std::int64_t tap) {
    return values_[static_cast<std::size_t>(index(channel, tap))];
  }

 private:
  std::int64_t channels_;
  std::int64_t taps_;
  std::vector<float> values_;
};

template <typename T>
PackedFilters<T> pack(const float* weight, std::int64_t channels, std::int64_t taps,
                      bool flipped = false) {
  PackedFilters<T> packed(channels, taps);
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      packed.at(channel, flipped ? taps - 1 - tap : tap) = weight[channel * taps + tap];
    }
  }
  return packed;
}

/// Adds one row of the filter's taps to `count` sums; `first` is the column under the first
/// output's first tap.
template <typename T, int kernel, int stride, int count, bool inside>
[[gnu::always_inline]] inline void add_taps(const Row<T>& row, const float* taps,
                                            std::int64_t first, TailMask mask, Block* sums) {
  Block weights[kernel];
#pragma GCC unroll 8
  for (int k = 0; k < kernel; ++k) weights[k] = load_packed(taps + k * block_width);
#pragma GCC unroll 16
  for (int j = 0; j < (count - 1) * stride + kernel; ++j) {
    const Block value = load(row.template pixel<inside>(first + j), mask);
#pragma GCC unroll 8
    for (int r = 0; r < count; ++r) {
      const int k = j - r * stride;
      if (k >= 0 && k < kernel) sums[r] = multiply_add(value, weights[k], sums[r]);
    }
  }
}

template <typename T, int kernel, int stride, int count, bool inside>
[[gnu::always_inline]] inline void forward_tile(const Row<T>* rows, const float* weights,
                                                Block start, std::int64_t first, TailMask mask,
                                                T* output, std::int64_t channels) {
  Block sums[count];
#pragma GCC unroll 8
  for (int r = 0; r < count; ++r) sums[r] = start;
  for (int k = 0; k < kernel; ++k) {
    if (rows[k].first == nullptr) continue;
    add_taps<T, kernel, stride, count, inside>(rows[k], weights + k * kernel * block_width, first,
                                               mask, sums);
  }
#pragma GCC unroll 8
  for (int r = 0; r < count; ++r) store(output + r * channels, sums[r], mask);
}

/// Fetches the pixels [x, end) of row number `row` into the cache, as far as there are such.
template <typename T>
[[gnu::always_inline]] inline void fetch(const T* rows, std::int64_t row, std::int64_t row_count,
                                         std::int64_t x, std::int64_t end, std::int64_t width,
                                         std::int64_t channels) {
  if (row < 0 || row >= row_count) return;
  const T* const first = rows + (row * width + std::clamp<std::int64_t>(x, 0, width)) * channels;
  const T* const last = rows + (row * width + std::clamp<std::int64_t>(end, 0, width)) * channels;
  constexpr std::int64_t cache_line = 64 / sizeof(T);
  for (const T* at = first; at < last; at += cache_line) prefetch(at);
}

/// Calls function(row, block, x, end) for strips of each row: so few pixels at a time that what a
/// strip reads is still in the first cache when the next block of channels reads it. The strips of
/// all blocks of a row interleave in memory, which no processor foresees: ahead(row + 1, x, end) is
/// to fetch what the next row will read and write.
template <typename T, typename Ahead, typename Function>
[[gnu::always_inline]] inline void for_each_strip(std::int64_t row, std::int64_t last_row,
                                                  std::int64_t width, std::int64_t channels,
                                                  std::int64_t block, std::int64_t last_block,
                                                  Ahead ahead, Function function) {
  constexpr std::int64_t bytes = 4096;
  const std::int64_t pixels = bytes / (channels * static_cast<std::int64_t>(sizeof(T)));
  const std::int64_t strip = std::max<std::int64_t>(1, pixels / tile) * tile;
  for (; row < last_row; ++row) {
    for (std::int64_t x = 0; x < width; x += strip) {
      const std::int64_t end = std::min(x + strip, width);
      ahead(row + 1, x, end);
      for (std::int64_t b = block; b < last_block; ++b) function(row, b, x, end);
    }
  }
}

template <typename T, int kernel, int stride>
void forward_strip(const DepthwiseShape& s, const T* input, const float* filter, Block start,
                   T* output, std::int64_t row, std::int64_t channel, std::int64_t x,
                   std::int64_t end) {
  constexpr int reach = (tile - 1) * stride + kernel;
  const TailMask mask(s.channels - channel);
  const std::int64_t image = row / s.out_height;
  const std::int64_t top = row % s.out_height * stride - s.padding_height;
  Row<T> rows[kernel];
  for (int k = 0; k < kernel; ++k) {
    const std::int64_t y = top + k;
    const bool there = y >= 0 && y < s.in_height;
    const std::int64_t first = (image * s.in_height + y) * s.in_width * s.channels + channel;
    rows[k] = {there ? input + first : nullptr, s.in_width, s.channels};
  }
  T* const to = output + row * s.out_width * s.channels + channel;
  while (x < end) {
    if (s.out_width < tile) {
      forward_tile<T, kernel, stride, 1, false>(rows, filter, start, x * stride - s.padding_width,
                                                mask, to + x * s.channels, s.channels);
      ++x;
      continue;
    }
    // The last tile overlaps the one before rather than be a smaller one.
    x = std::min(x, s.out_width - tile);
    const std::int64_t first = x * stride - s.padding_width;
    if (first >= 0 && first + reach <= s.in_width) {
      forward_tile<T, kernel, stride, tile, true>(rows, filter, start, first, mask,
                                                  to + x * s.channels, s.channels);
    } else {
      forward_tile<T, kernel, stride, tile, false>(rows, filter, start, first, mask,
                                                   to + x * s.channels, s.channels);
    }
    x += tile;
  }
}

/// Fetches the input pixels that the outputs [x, end) of a row see and those of the row above do
/// not.
template <typename T>
[[gnu::always_inline]] inline void fetch_strip(const DepthwiseShape& s, const T* input,
                                               std::int64_t row, std::int64_t x, std::int64_t end) {
  const std::int64_t bottom = row % s.out_height * s.stride - s.padding_height + s.kernel;
  for (std::int64_t y = bottom - s.stride; y < std::min(bottom, s.in_height); ++y) {
    fetch(input, row / s.out_height * s.in_height + y, s.batch * s.in_height,
          x * s.stride - s.padding_width, end * s.stride - s.padding_width, s.in_width, s.channels);
  }
}

/// Rows that are worth another thread.
inline std::int64_t rows_grain(std::int64_t values_a_row) {
  return std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, values_a_row));
}

template <typename T, int kernel, int stride>
void forward(const DepthwiseShape& s, const T* input, const PackedFilters<T>& weights,
             const float* bias, T* output) {
  const PackedFilters<T> start =
      bias == nullptr ? PackedFilters<T>(s.channels, 1) : pack<T>(bias, s.channels, 1);
  at::parallel_for(
      0, s.batch * s.out_height, rows_grain(s.out_width * s.channels),
      [&](std::int64_t first, std::int64_t last) {
        for_each_strip<T>(
            first, last, s.out_width, s.channels, 0, weights.blocks(),
            [&](std::int64_t row, std::int64_t x, std::int64_t end) {
              fetch_strip(s, input, row, x, end);
              fetch<T>(output, row, s.batch * s.out_height, x, end, s.out_width, s.channels);
            },
            [&](std::int64_t row, std::int64_t block, std::int64_t x, std::int64_t end) {
              forward_strip<T, kernel, stride>(s, input, weights.block(block),
                                               load_packed(start.block(block)), output, row,
                                               block * block_width, x, end);
            });
      });
}

MPBENCH_TARGET_END

#pragma once

#include <ATen/Parallel.h>

#include <array>
#include <vector>

#include "../element_type.hpp"
#include "../simd/vec.hpp"
#include "depthwise_kernels.hpp"
#include "forward_simd.hpp"

// The loops behind depthwise_kernels.hpp, written once and compiled for each set of instructions.

MPBENCH_TARGET_BEGIN

/// Stride 2: input columns in pairs that see the same outputs, the first of a pair through the even
/// taps, the second through the odd ones. Pair q holds the columns 2q - padding and 2q + 1 -
/// padding; tap k of either falls on output q - k / 2.
template <typename T, int kernel, int pairs, bool inside>
[[gnu::always_inline]] inline void spread_taps(const Row<T>& row, const float* taps,
                                               std::int64_t first_pair, TailMask mask, Block* even,
                                               Block* odd) {
  constexpr int reach = (kernel - 1) / 2;
#pragma GCC unroll 16
  for (int j = 0; j < pairs + reach; ++j) {
    const Block value = load(row.template pixel<inside>(first_pair - reach + j), mask);
#pragma GCC unroll 8
    for (int r = 0; r < pairs; ++r) {
      const int k = 2 * (r + reach - j);
      if (k >= 0 && k < kernel) {
        even[r] = multiply_add(value, load_packed(taps + k * block_width), even[r]);
      }
      if (k >= 0 && k + 1 < kernel) {
        odd[r] = multiply_add(value, load_packed(taps + (k + 1) * block_width), odd[r]);
      }
    }
  }
}

template <typename T, int kernel, int pairs, bool inside>
[[gnu::always_inline]] inline void spread_tile(const DepthwiseShape& s, const Row<T>* rows,
                                               const float* weights, std::int64_t pair,
                                               TailMask mask, T* to) {
  Block even[pairs];
  Block odd[pairs];
#pragma GCC unroll 8
  for (int r = 0; r < pairs; ++r) even[r] = odd[r] = zero_block();
  for (int k = 0; k < kernel; ++k) {
    if (rows[k].first == nullptr) continue;
    spread_taps<T, kernel, pairs, inside>(rows[k], weights + k * kernel * block_width, pair, mask,
                                          even, odd);
  }
#pragma GCC unroll 8
  for (int r = 0; r < pairs; ++r) {
    const std::int64_t x = 2 * (pair + r) - s.padding_width;
    if (x >= 0 && x < s.in_width) store(to + x * s.channels, even[r], mask);
    if (x >= -1 && x + 1 < s.in_width) store(to + (x + 1) * s.channels, odd[r], mask);
  }
}

/// Pairs [pair, last_pair) of an input row.
template <typename T, int kernel>
void data_gradient_strip(const DepthwiseShape& s, const T* output_gradient, const float* filter,
                         T* input_gradient, std::int64_t row, std::int64_t channel,
                         std::int64_t pair, std::int64_t last_pair) {
  constexpr int pairs = tile / 2;
  constexpr int reach = (kernel - 1) / 2;
  const TailMask mask(s.channels - channel);
  const std::int64_t image = row / s.in_height;
  const std::int64_t y = row % s.in_height + s.padding_height;
  Row<T> rows[kernel];
  for (int k = 0; k < kernel; ++k) {
    const std::int64_t twice = y - k;
    const bool there = twice >= 0 && twice % 2 == 0 && twice / 2 < s.out_height;
    const std::int64_t first =
        (image * s.out_height + twice / 2) * s.out_width * s.channels + channel;
    rows[k] = {there ? output_gradient + first : nullptr, s.out_width, s.channels};
  }
  T* const to = input_gradient + row * s.in_width * s.channels + channel;
  for (; pair < last_pair; pair += pairs) {
    if (pair >= reach && pair + pairs <= s.out_width) {
      spread_tile<T, kernel, pairs, true>(s, rows, filter, pair, mask, to);
    } else {
      spread_tile<T, kernel, pairs, false>(s, rows, filter, pair, mask, to);
    }
  }
}

/// One row of the filter's gradient from `tile` outputs beside one another.
template <typename T, int kernel, int stride, bool inside>
[[gnu::always_inline]] inline void add_products(const Row<T>& input, const Row<T>& gradient,
                                                std::int64_t x, std::int64_t first, TailMask mask,
                                                Block* sums) {
  Block gradients[tile];
#pragma GCC unroll 8
  for (int r = 0; r < tile; ++r) {
    gradients[r] = load(gradient.template pixel<inside>(x + r), mask);
  }
#pragma GCC unroll 16
  for (int j = 0; j < (tile - 1) * stride + kernel; ++j) {
    const Block value = load(input.template pixel<inside>(first + j), mask);
#pragma GCC unroll 8
    for (int r = 0; r < tile; ++r) {
      const int k = j - r * stride;
      if (k >= 0 && k < kernel) sums[k] = multiply_add(value, gradients[r], sums[k]);
    }
  }
}

/// Adds the products of the outputs [x, end) of a row to sums[tap].
template <typename T, int kernel, int stride>
void weight_gradient_strip(const DepthwiseShape& s, const T* output_gradient, const T* input,
                           float* sums, std::int64_t row, std::int64_t channel, std::int64_t begin,
                           std::int64_t end) {
  constexpr int reach = (tile - 1) * stride + kernel;
  const TailMask mask(s.channels - channel);
  const std::int64_t image = row / s.out_height;
  const std::int64_t top = row % s.out_height * stride - s.padding_height;
  const Row<T> gradient{output_gradient + row * s.out_width * s.channels + channel, s.out_width,
                        s.channels};
  for (int k = 0; k < kernel; ++k) {
    const std::int64_t y = top + k;
    if (y < 0 || y >= s.in_height) continue;
    const Row<T> pixels{input + (image * s.in_height + y) * s.in_width * s.channels + channel,
                        s.in_width, s.channels};
    float* const taps = sums + k * kernel * block_width;
    Block row_sums[kernel];
#pragma GCC unroll 8
    for (int i = 0; i < kernel; ++i) row_sums[i] = load_packed(taps + i * block_width);
    for (std::int64_t x = begin; x < end; x += tile) {
      const std::int64_t first = x * stride - s.padding_width;
      if (first >= 0 && first + reach <= s.in_width && x + tile <= s.out_width) {
        add_products<T, kernel, stride, true>(pixels, gradient, x, first, mask, row_sums);
      } else {
        add_products<T, kernel, stride, false>(pixels, gradient, x, first, mask, row_sums);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kernel; ++i) store_packed(taps + i * block_width, row_sums[i]);
  }
}

template <typename T, int kernel, int stride>
void weight_gradient(const DepthwiseShape& s, const T* output_gradient, const T* input,
                     float* weight_gradient) {
  // How the sums are split depends on the shape alone, so that results do not on the threads.
  constexpr std::int64_t taps = kernel * kernel;
  constexpr std::int64_t wanted_tasks = 64;
  const PackedFilters<T> order(s.channels, taps);
  const std::int64_t group = std::min<std::int64_t>(order.blocks(), 8);
  const std::int64_t groups = (order.blocks() + group - 1) / group;
  const std::int64_t rows = s.batch * s.out_height;
  const std::int64_t slices = std::clamp<std::int64_t>(wanted_tasks / groups, 1, rows);
  std::vector<float> sums(static_cast<std::size_t>(slices * order.size()), 0.0F);
  at::parallel_for(0, slices * groups, 1, [&](std::int64_t task, std::int64_t last_task) {
    for (; task < last_task; ++task) {
      const std::int64_t slice = task / groups;
      const std::int64_t block = task % groups * group;
      float* const slice_sums = sums.data() + slice * order.size();
      for_each_strip<T>(
          slice * rows / slices, (slice + 1) * rows / slices, s.out_width, s.channels, block,
          std::min(order.blocks(), block + group),
          [&](std::int64_t row, std::int64_t x, std::int64_t end) {
            fetch_strip(s, input, row, x, end);
            fetch(output_gradient, row, s.batch * s.out_height, x, end, s.out_width, s.channels);
          },
          [&](std::int64_t row, std::int64_t b, std::int64_t x, std::int64_t end) {
            weight_gradient_strip<T, kernel, stride>(s, output_gradient, input,
                                                     slice_sums + b * taps * block_width, row,
                                                     b * block_width, x, end);
          });
    }
  });
  for (std::int64_t channel = 0; channel < s.channels; ++channel) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      double sum = 0;
      for (std::int64_t slice = 0; slice < slices; ++slice) {
        sum += sums[static_cast<std::size_t>(slice * order.size() + order.index(channel, tap))];
      }
      weight_gradient[channel * taps + tap] = static_cast<float>(sum);
    }
  }
}

template <typename T, int kernel>
void data_gradient(const DepthwiseShape& s, const T* output_gradient, const float* weight,
                   T* input_gradient) {
  constexpr std::int64_t taps = kernel * kernel;
  if (s.stride == 1) {
    // The convolution of the outputs' gradient by the filter turned around.
    DepthwiseShape turned = s;
    std::swap(turned.in_height, turned.out_height);
    std::swap(turned.in_width, turned.out_width);
    turned.padding_height = kernel - 1 - s.padding_height;
    turned.padding_width = kernel - 1 - s.padding_width;
    forward<T, kernel, 1>(turned, output_gradient, pack<T>(weight, s.channels, taps, true), nullptr,
                          input_gradient);
    return;
  }
  const PackedFilters<T> weights = pack<T>(weight, s.channels, taps);
  const std::int64_t first_pair = s.padding_width / 2;
  const std::int64_t pairs = (s.in_width - 1 + s.padding_width) / 2 + 1 - first_pair;
  at::parallel_for(
      0, s.batch * s.in_height, rows_grain(s.in_width * s.channels),
      [&](std::int64_t first, std::int64_t last) {
        for_each_strip<T>(
            first, last, pairs, s.channels, 0, weights.blocks(),
            [&](std::int64_t row, std::int64_t x, std::int64_t end) {
              const std::int64_t y = (row % s.in_height + s.padding_height) / 2;
              if (y < s.out_height) {
                fetch(output_gradient, row / s.in_height * s.out_height + y, s.batch * s.out_height,
                      first_pair + x, first_pair + end, s.out_width, s.channels);
              }
              fetch<T>(input_gradient, row, s.batch * s.in_height, 2 * x, 2 * end, s.in_width,
                       s.channels);
            },
            [&](std::int64_t row, std::int64_t block, std::int64_t x, std::int64_t end) {
              data_gradient_strip<T, kernel>(s, output_gradient, weights.block(block),
                                             input_gradient, row, block * block_width,
                                             first_pair + x, first_pair + end);
            });
      });
}

template <typename T>
void depthwise_forward(const DepthwiseShape& s, const T* input, const float* weight,
                       const float* bias, T* output) {
  const PackedFilters<T> weights = pack<T>(weight, s.channels, s.kernel * s.kernel);
  const auto run = s.kernel == 3 ? (s.stride == 1 ? forward<T, 3, 1> : forward<T, 3, 2>)
                                 : (s.stride == 1 ? forward<T, 5, 1> : forward<T, 5, 2>);
  run(s, input, weights, bias, output);
}

template <typename T>
void depthwise_data_gradient(const DepthwiseShape& s, const T* output_gradient, const float* weight,
                             T* input_gradient) {
  const auto run = s.kernel == 3 ? data_gradient<T, 3> : data_gradient<T, 5>;
  run(s, output_gradient, weight, input_gradient);
}

template <typename T>
void depthwise_weight_gradient(const DepthwiseShape& s, const T* output_gradient, const T* input,
                               float* gradient) {
  const auto run = s.kernel == 3
                       ? (s.stride == 1 ? weight_gradient<T, 3, 1> : weight_gradient<T, 3, 2>)
                       : (s.stride == 1 ? weight_gradient<T, 5, 1> : weight_gradient<T, 5, 2>);
  run(s, output_gradient, input, gradient);
}

template <typename T>
constexpr DepthwiseKernels<T> depthwise_kernels_for{
    depthwise_forward<T>, depthwise_data_gradient<T>, depthwise_weight_gradient<T>};

extern const PerElementType<DepthwiseKernels> depthwise_kernels;
constinit const PerElementType<DepthwiseKernels> depthwise_kernels{
    depthwise_kernels_for<float>, depthwise_kernels_for<c10::BFloat16>,
    depthwise_kernels_for<c10::Half>};

MPBENCH_TARGET_END

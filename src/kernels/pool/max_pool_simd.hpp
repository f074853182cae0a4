#pragma once

#include <ATen/Parallel.h>

#include "../element_type.hpp"
#include "../simd/vec.hpp"
#include "max_pool_kernels.hpp"

// The loops behind max_pool_kernels.hpp, written once and compiled for each set of instructions.

MPBENCH_TARGET_BEGIN

#ifdef MPBENCH_SIMD_AVX512
using Mask = __mmask16;

/// Where a later pixel takes the place of the largest so far: it is larger, or not a number.
[[gnu::always_inline]] inline Mask takes_over(Vec pixel, Vec largest) {
  return _mm512_cmp_ps_mask(pixel, largest, _CMP_GT_OQ) |
         _mm512_cmp_ps_mask(pixel, pixel, _CMP_UNORD_Q);
}
[[gnu::always_inline]] inline Vec choose(Mask mask, Vec chosen, Vec other) {
  return _mm512_mask_blend_ps(mask, other, chosen);
}
#else
using Mask = __m256;

[[gnu::always_inline]] inline Mask takes_over(Vec pixel, Vec largest) {
  return _mm256_or_ps(_mm256_cmp_ps(pixel, largest, _CMP_GT_OQ),
                      _mm256_cmp_ps(pixel, pixel, _CMP_UNORD_Q));
}
[[gnu::always_inline]] inline Vec choose(Mask mask, Vec chosen, Vec other) {
  return _mm256_blendv_ps(other, chosen, mask);
}
#endif

/// The four pixels of a window lie at these distances from the first, in the order they count.
struct WindowPlaces {
  explicit WindowPlaces(const PoolShape& shape)
      : at{0, shape.channels, shape.width * shape.channels, (shape.width + 1) * shape.channels} {}
  std::int64_t at[4];
};

/// Calls function(first value of a window, first value of its result) for each, in parallel.
template <typename Function>
void for_each_window(const PoolShape& shape, Function function) {
  const std::int64_t height = shape.height / 2;
  const std::int64_t width = shape.width / 2;
  const std::int64_t grain = std::max<std::int64_t>(1, 8192 / (width * shape.channels + 1));
  at::parallel_for(0, shape.images * height, grain, [&](std::int64_t row, std::int64_t last) {
    for (; row < last; ++row) {
      const std::int64_t top = row / height * shape.height + row % height * 2;
      for (std::int64_t column = 0; column < width; ++column) {
        function((top * shape.width + 2 * column) * shape.channels,
                 (row * width + column) * shape.channels);
      }
    }
  });
}

template <typename T>
void max_pool(const PoolShape& shape, const T* x, T* y) {
  const WindowPlaces places(shape);
  for_each_window(shape, [&](std::int64_t window, std::int64_t result) {
    for (std::int64_t channel = 0; channel < shape.channels; channel += block_width) {
      const TailMask mask(shape.channels - channel);
      const T* const first = x + window + channel;
      Block largest = load(first, mask);
      for (int i = 1; i < 4; ++i) {
        const Block pixel = load(first + places.at[i], mask);
        largest.a = choose(takes_over(pixel.a, largest.a), pixel.a, largest.a);
        largest.b = choose(takes_over(pixel.b, largest.b), pixel.b, largest.b);
      }
      store(y + result + channel, largest, mask);
    }
  });
}

/// One register of a window: whatever was largest so far gets nothing once another takes over.
[[gnu::always_inline]] inline void share_out(const Vec (&pixels)[4], Vec gradient,
                                             Vec (&shares)[4]) {
  Vec largest = pixels[0];
  shares[0] = gradient;
  for (int i = 1; i < 4; ++i) {
    const Mask mask = takes_over(pixels[i], largest);
    largest = choose(mask, pixels[i], largest);
    for (int j = 0; j < i; ++j) shares[j] = choose(mask, Vec{}, shares[j]);
    shares[i] = choose(mask, gradient, Vec{});
  }
}

template <typename T>
void max_pool_gradient(const PoolShape& shape, const T* x, const T* dy, T* dx) {
  const WindowPlaces places(shape);
  for_each_window(shape, [&](std::int64_t window, std::int64_t result) {
    for (std::int64_t channel = 0; channel < shape.channels; channel += block_width) {
      const TailMask mask(shape.channels - channel);
      const std::int64_t first = window + channel;
      const Block gradient = load(dy + result + channel, mask);
      Vec a[4];
      Vec b[4];
      for (int i = 0; i < 4; ++i) {
        const Block pixel = load(x + first + places.at[i], mask);
        a[i] = pixel.a;
        b[i] = pixel.b;
      }
      Vec shares_a[4];
      Vec shares_b[4];
      share_out(a, gradient.a, shares_a);
      share_out(b, gradient.b, shares_b);
      for (int i = 0; i < 4; ++i) {
        store(dx + first + places.at[i], Block{shares_a[i], shares_b[i]}, mask);
      }
    }
  });
}

template <typename T>
constexpr MaxPoolKernels<T> max_pool_kernels_for{max_pool<T>, max_pool_gradient<T>};

extern const PerElementType<MaxPoolKernels> max_pool_kernels;
constinit const PerElementType<MaxPoolKernels> max_pool_kernels{max_pool_kernels_for<float>,
                                                                max_pool_kernels_for<c10::BFloat16>,
                                                                max_pool_kernels_for<c10::Half>};

MPBENCH_TARGET_END

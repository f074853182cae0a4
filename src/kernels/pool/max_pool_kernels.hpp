#pragma once

#include <cstdint>

/// 2 x 2 max pooling of channels_last tensors. T is float, c10::BFloat16 or c10::Half.
namespace mpbench::kernels {

/// Of the input; a last odd row or column takes no part.
struct PoolShape {
  std::int64_t images, height, width, channels;
};

template <typename T>
struct MaxPoolKernels {
  void (*forward)(const PoolShape& shape, const T* x, T* y);
  /// Gives dy to the largest pixel, the first where several are, 0 to all others.
  void (*gradient)(const PoolShape& shape, const T* x, const T* dy, T* dx);
};

}  // namespace mpbench::kernels

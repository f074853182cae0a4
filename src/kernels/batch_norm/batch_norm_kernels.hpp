#pragma once

#include <cstdint>

#include "mpbench/kernels/batch_norm_activation.hpp"

/// Batch normalisation of channels_last tensors, which are matrices [rows, channels]. T is float,
/// c10::BFloat16 or c10::Half; everything is computed in float32.
namespace mpbench::kernels {

/// z = (x - mean[c]) * scale[c] + bias[c], where x is [rows, channels].
struct NormShape {
  std::int64_t rows;
  std::int64_t channels;
};
struct NormCoefficients {
  const float* mean;
  const float* scale;
  const float* bias;
};

template <typename T>
struct BatchNormKernels {
  /// Mean and (biased) variance of each channel.
  void (*moments)(const NormShape& shape, const T* x, double* mean, double* variance);
  /// y = activation(z).
  void (*normalize)(const NormShape& shape, const NormCoefficients& coefficients,
                    Activation activation, const T* x, T* y);
  /// Of dz = dy * activation'(z): the sums of dz and of dz * (x - mean) over the rows.
  void (*gradient_sums)(const NormShape& shape, const NormCoefficients& coefficients,
                        Activation activation, const T* x, const T* dy, double* sum_dz,
                        double* sum_dz_x);
  /// dx = dz * scale + (x - mean) * slope + offset.
  void (*gradient)(const NormShape& shape, const NormCoefficients& coefficients,
                   Activation activation, const float* slope, const float* offset, const T* x,
                   const T* dy, T* dx);
};

}  // namespace mpbench::kernels

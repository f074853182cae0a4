#pragma once

#include <cstdint>

/// Depthwise convolutions of channels_last tensors ([N, H, W, C] in memory), each channel by a
/// filter of its own, summed in float32. T is float, c10::BFloat16 or c10::Half.
///
/// Filters are [C, 1, kernel, kernel] in float32. Results do not depend on the number of threads.
namespace mpbench::kernels {

/// A convolution that the kernels compute: kernel 3 or 5, stride 1 or 2, the same both ways.
struct DepthwiseShape {
  std::int64_t batch, channels;
  std::int64_t in_height, in_width;
  std::int64_t out_height, out_width;
  std::int64_t kernel, stride;
  std::int64_t padding_height, padding_width;
};

template <typename T>
struct DepthwiseKernels {
  /// output = convolution of input, plus bias[channel] where bias is not null.
  void (*forward)(const DepthwiseShape& shape, const T* input, const float* weight,
                  const float* bias, T* output);
  void (*data_gradient)(const DepthwiseShape& shape, const T* output_gradient, const float* weight,
                        T* input_gradient);
  void (*weight_gradient)(const DepthwiseShape& shape, const T* output_gradient, const T* input,
                          float* weight_gradient);
};

}  // namespace mpbench::kernels

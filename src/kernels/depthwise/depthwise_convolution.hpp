#pragma once

#include <ATen/core/TensorBody.h>

#include <array>
#include <optional>
#include <tuple>

#include "../dispatch.hpp"

namespace mpbench::kernels {

/// A convolution's arguments, as aten::convolution has them.
struct ConvolutionArguments {
  at::IntArrayRef stride, padding, dilation;
  bool transposed;
  at::IntArrayRef output_padding;
  std::int64_t groups;
};

/// Whether each channel has a filter of its own: [N, C, H, W] by [C, 1, h, w], C > 1, on the CPU.
bool is_depthwise(const at::Tensor& input, const at::Tensor& weight,
                  const ConvolutionArguments& arguments);

/// The shape, where our kernels compute this depthwise convolution: dense channels_last input of a
/// floating type narrower than float64, the weight's too; kernel 3 or 5, stride 1 or 2. Nothing
/// for any other.
std::optional<DepthwiseShape> depthwise_shape(const at::Tensor& input, const at::Tensor& weight,
                                              const ConvolutionArguments& arguments);

/// The output, channels_last, in the input's type. `bias` may be undefined.
at::Tensor depthwise_convolution(const DepthwiseShape& shape, const KernelTable& kernels,
                                 const at::Tensor& input, const at::Tensor& weight,
                                 const at::Tensor& bias);

/// Gradients of the input, the weight and the bias, in their types, where wanted.
std::tuple<at::Tensor, at::Tensor, at::Tensor> depthwise_convolution_backward(
    const DepthwiseShape& shape, const KernelTable& kernels, const at::Tensor& output_gradient,
    const at::Tensor& input, const at::Tensor& weight, std::array<bool, 3> wanted);

}  // namespace mpbench::kernels

#include "conv_norm_activation.hpp"

#include <torch/types.h>

#include <algorithm>
#include <cstdint>

#include "mpbench/kernels/batch_norm_activation.hpp"

namespace mpbench::nn {

torch::Tensor norm_activation(torch::nn::BatchNorm2d& norm, const torch::Tensor& input,
                              Activation activation) {
  if (kernels::fuses_batch_norm(*norm, input)) {
    return kernels::batch_norm_activation(*norm, input, activation);
  }
  return activate(norm->forward(input), activation);
}

torch::nn::Conv2dOptions same_convolution(int in_channels, int out_channels, int kernel, int stride,
                                          int groups) {
  return torch::nn::Conv2dOptions(in_channels, out_channels, kernel)
      .stride(stride)
      .padding((kernel - 1) / 2)
      .groups(groups)
      .bias(false);
}

namespace {

/// The pixels that TensorFlow's "same" padding adds along one side of `size`.
std::int64_t tensorflow_padding(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t outputs = (size + stride - 1) / stride;
  return std::max<std::int64_t>((outputs - 1) * stride + kernel - size, 0);
}

}  // namespace

ConvNormActivation::ConvNormActivation(const torch::nn::Conv2dOptions& convolution,
                                       Activation activation, torch::nn::BatchNormOptions norm)
    : conv_(register_module("0", torch::nn::Conv2d(convolution))),
      norm_(register_module("1",
                            torch::nn::BatchNorm2d(norm.num_features(convolution.out_channels())))),
      activation_(activation) {}

torch::Tensor ConvNormActivation::forward(const torch::Tensor& input) {
  if (padding_ == Padding::symmetric) {
    return norm_activation(norm_, conv_->forward(input), activation_);
  }
  const auto& options = conv_->options;
  const std::int64_t height =
      tensorflow_padding(input.size(2), options.kernel_size()->at(0), options.stride()->at(0));
  const std::int64_t width =
      tensorflow_padding(input.size(3), options.kernel_size()->at(1), options.stride()->at(1));
  const torch::Tensor padded = torch::constant_pad_nd(
      input, {width / 2, width - width / 2, height / 2, height - height / 2});
  return norm_activation(norm_, conv_->forward(padded), activation_);
}

void ConvNormActivation::set_padding(Padding padding) {
  const std::int64_t kernel = conv_->options.kernel_size()->at(0);
  const bool strided = conv_->options.stride()->at(0) > 1;
  padding_ = strided ? padding : Padding::symmetric;
  conv_->options.padding(padding_ == Padding::symmetric ? (kernel - 1) / 2 : 0);
}

}  // namespace mpbench::nn

#include "mpbench/nn/conv_norm_activation.hpp"

#include <torch/types.h>

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

ConvNormActivation::ConvNormActivation(const torch::nn::Conv2dOptions& convolution,
                                       Activation activation, torch::nn::BatchNormOptions norm)
    : conv_(register_module("0", torch::nn::Conv2d(convolution))),
      norm_(register_module("1",
                            torch::nn::BatchNorm2d(norm.num_features(convolution.out_channels())))),
      activation_(activation) {}

torch::Tensor ConvNormActivation::forward(const torch::Tensor& input) {
  return norm_activation(norm_, conv_->forward(input), activation_);
}

}  // namespace mpbench::nn

#include "squeeze_excite.hpp"

#include <torch/types.h>

#include "activation.hpp"
#include "mpbench/kernels/spatial_mean.hpp"

namespace mpbench::nn {
namespace {

torch::Tensor multiply(const torch::nn::Conv2d& layer, const torch::Tensor& vectors) {
  return torch::linear(vectors, layer->weight.flatten(1), layer->bias);
}

}  // namespace

SqueezeExcite::SqueezeExcite(int channels, int squeeze_channels, Activation activation,
                             SqueezeExciteForm form)
    : fc1_(register_module(
          "fc1", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, squeeze_channels, 1)))),
      fc2_(register_module(
          "fc2", torch::nn::Conv2d(torch::nn::Conv2dOptions(squeeze_channels, channels, 1)))),
      activation_(activation),
      form_(form) {}

torch::Tensor SqueezeExcite::forward(const torch::Tensor& input) {
  const bool conv = form_ == SqueezeExciteForm::conv;
  return (conv ? conv_scale(input) : linear_scale(input)) * input;
}

torch::Tensor SqueezeExcite::conv_scale(const torch::Tensor& input) {
  const torch::Tensor pooled = kernels::spatial_mean(input);
  return fc2_->forward(activate(fc1_->forward(pooled), activation_)).sigmoid();
}

torch::Tensor SqueezeExcite::linear_scale(const torch::Tensor& input) {
  const torch::Tensor mean = input.mean({2, 3});
  return multiply(fc2_, activate(multiply(fc1_, mean), activation_))
      .sigmoid()
      .unsqueeze(2)
      .unsqueeze(3);
}

}  // namespace mpbench::nn

#pragma once

#include <torch/nn/modules/conv.h>

#include "mpbench/nn/efficientnet_options.hpp"

namespace mpbench::nn {

/// Scales each channel by sigmoid(fc2(activation(fc1(mean over the image)))). Hu et al.,
/// "Squeeze-and-Excitation Networks", arXiv:1709.01507.
///
/// Both forms hold the same parameters under torchvision's names: fc1.weight [S, C, 1, 1],
/// fc2.weight [C, S, 1, 1] and the biases. The linear form views the weights as the matrices [S,
/// C] and [C, S], so either form takes the other's state as it is.
class SqueezeExcite : public torch::nn::Module {
 public:
  SqueezeExcite(int channels, int squeeze_channels, Activation activation, SqueezeExciteForm form);

  /// [N, C, H, W] -> the same shape.
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::Tensor conv_scale(const torch::Tensor& input);
  torch::Tensor linear_scale(const torch::Tensor& input);

  torch::nn::Conv2d fc1_;
  torch::nn::Conv2d fc2_;
  Activation activation_;
  SqueezeExciteForm form_;
};

}  // namespace mpbench::nn

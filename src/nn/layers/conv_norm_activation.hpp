#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "activation.hpp"

namespace mpbench::nn {

/// activation(batch_norm(input)), [N, C, H, W] -> [N, C, H, W], in one operation where
/// kernels::fuses_batch_norm. Every model's batch norms run through it.
torch::Tensor norm_activation(torch::nn::BatchNorm2d& norm, const torch::Tensor& input,
                              Activation activation);

/// A square convolution without bias (the batch norm behind it would take it away again), padded so
/// that stride 1 keeps the size of the image.
torch::nn::Conv2dOptions same_convolution(int in_channels, int out_channels, int kernel,
                                          int stride = 1, int groups = 1);

enum class Padding {
  symmetric,  ///< the same on all sides
  tensorflow  ///< "same": as few pixels as it takes, an odd one on the right and at the bottom
};

/// Convolution, batch norm and activation, with torchvision's names: the convolution is "0", the
/// norm "1".
class ConvNormActivation : public torch::nn::Module {
 public:
  /// `norm` gives epsilon and momentum; its number of features is the convolution's.
  ConvNormActivation(const torch::nn::Conv2dOptions& convolution, Activation activation,
                     torch::nn::BatchNormOptions norm = {0});

  /// [N, in_channels, H, W] -> [N, out_channels, H / stride, W / stride], rounded up.
  torch::Tensor forward(const torch::Tensor& input);

  /// Convolutions of stride 1 are the same with either.
  void set_padding(Padding padding);

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
  Activation activation_;
  Padding padding_ = Padding::symmetric;
};

}  // namespace mpbench::nn

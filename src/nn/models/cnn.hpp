#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <vector>

#include "mpbench/nn/model.hpp"

namespace mpbench::nn {

/// The small CNN: four blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pooling (32, 64,
/// 128, 128 channels), the global mean, and one linear layer. Takes images from 16x16 up.
class Cnn : public ImageClassifier {
 public:
  Cnn(int in_channels, int outputs);
  torch::Tensor forward(torch::Tensor images) override;
  std::string stem() const override { return "features.0"; }
  std::string head() const override { return "classifier"; }

 private:
  struct Block {
    torch::nn::Conv2d conv;
    torch::nn::BatchNorm2d norm;
  };

  std::vector<Block> blocks_;
  torch::nn::Linear classifier_{nullptr};
};

}  // namespace mpbench::nn

#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <array>

#include "mpbench/nn/model.hpp"

namespace mpbench::nn {

/// Blocks in each of the four stages, and whether they are bottlenecks (1x1, 3x3, 1x1) or basic
/// (3x3, 3x3).
struct ResNetLayout {
  std::array<int, 4> blocks;
  bool bottleneck;
};

inline constexpr ResNetLayout resnet18{{2, 2, 2, 2}, false};
inline constexpr ResNetLayout resnet50{{3, 4, 6, 3}, true};

/// He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, with torchvision's
/// names and initial values. A bottleneck's stride sits in its 3x3 convolution, as torchvision's
/// ("v1.5").
class ResNet : public ImageClassifier {
 public:
  ResNet(const ResNetLayout& layout, int in_channels, int outputs);
  torch::Tensor forward(torch::Tensor images) override;
  std::string stem() const override { return "conv1"; }
  std::string head() const override { return "fc"; }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  std::array<torch::nn::Sequential, 4> layers_;
  torch::nn::Linear fc_{nullptr};
};

}  // namespace mpbench::nn

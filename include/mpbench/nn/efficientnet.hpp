#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <string>

#include "mpbench/nn/efficientnet_options.hpp"
#include "mpbench/nn/model.hpp"

namespace mpbench::nn {

/// Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
/// arXiv:1905.11946, with torchvision's names and initial values.
class EfficientNet : public ImageClassifier {
 public:
  EfficientNet(const EfficientNetVariant& variant, int in_channels, int outputs,
               Activation activation = Activation::silu,
               SqueezeExciteForm squeeze_excite = SqueezeExciteForm::transformed);
  torch::Tensor forward(torch::Tensor images) override;
  std::string stem() const override { return "features.0.0"; }
  std::string head() const override { return "classifier.1"; }

 private:
  torch::nn::Sequential features_;
  torch::nn::Sequential classifier_;
};

}  // namespace mpbench::nn

#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <string_view>
#include <vector>

#include "mpbench/nn/activation.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/nn/squeeze_excite.hpp"

namespace mpbench::nn {

/// How one of the family is scaled from B0, and what else torchvision changes with it.
struct EfficientNetVariant {
  std::string_view name;
  double width;          ///< multiplies the channels, which are then rounded to multiples of 8
  double depth;          ///< multiplies the blocks of a stage, rounded up
  int resolution;        ///< the side of the square images it was designed for
  double dropout;        ///< before the last layer
  double norm_epsilon;   ///< batch norm's
  double norm_momentum;  ///< batch norm's
};

/// B0 to B7.
const std::vector<EfficientNetVariant>& efficientnet_variants();

/// Null for a name that is not an EfficientNet's.
const EfficientNetVariant* find_efficientnet(std::string_view name);

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

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
               SqueezeExciteForm squeeze_excite = SqueezeExciteForm::conv);
  torch::Tensor forward(torch::Tensor images) override;
  std::string stem() const override { return "features.0.0"; }
  std::string head() const override { return "classifier.1"; }

  /// Batch norm's epsilon and momentum, and the padding, of another origin; the parameters stay.
  void set_origin(EfficientNetOrigin origin);
  EfficientNetOrigin origin() const { return origin_; }

 private:
  EfficientNetVariant variant_;
  EfficientNetOrigin origin_ = EfficientNetOrigin::torchvision;
  torch::nn::Sequential features_;
  torch::nn::Sequential classifier_;
};

/// ModelOptions::origin of a model; "torchvision" for those that have no choice.
std::string origin_of(const ImageClassifier& model);

/// Sets it; throws UsageError for an unknown one, and for a model that has no such choice.
void set_origin(ImageClassifier& model, const std::string& origin);

}  // namespace mpbench::nn

#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "mpbench/nn/model_options.hpp"

namespace mpbench::nn {

/// A network that tells classes of images apart.
class ImageClassifier : public torch::nn::Module {
 public:
  /// images [N, C, H, W] -> logits [N, outputs].
  virtual torch::Tensor forward(torch::Tensor images) = 0;

  /// The path of the first convolution ("conv1"), whose weight's shape depends on the images'
  /// channels.
  virtual std::string stem() const = 0;
  /// The path of the last linear layer ("fc"), whose shape depends on the number of classes. All
  /// but it is the backbone.
  virtual std::string head() const = 0;
};

/// A freshly initialised model in float32, from torch's global generator: the same values as
/// torchvision's model of that name after the same seed. Throws as require_model_options.
std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options);

/// Trainable parameters.
std::int64_t count_parameters(const torch::nn::Module& model);

/// Lays the 4-d parameters out as channels_last (torch::nn::Module::to has no memory format). Call
/// it before the optimizer is made.
void to_channels_last(torch::nn::Module& model);

}  // namespace mpbench::nn

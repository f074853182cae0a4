#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

struct ModelOptions {
  std::string name = "cnn";
  int in_channels = 1;
  int outputs = 1;  ///< 1 for a binary question (a logit), the number of classes otherwise
  std::string activation = "silu";             ///< EfficientNet's: "silu" or "relu6"
  std::string squeeze_excite = "transformed";  ///< EfficientNet's: "transformed" (1x1 convolutions)
                                               ///< or "textbook" (mean and linear layers)
};

/// Names that make_model knows, in the order help shows them.
const std::vector<std::string>& model_names();

/// Throws UsageError, with the choices, for a name that is not in model_names().
void require_model(const std::string& name);

/// A freshly initialised model, from torch's global generator. Throws UsageError for an unknown
/// name.
std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options);

/// Trainable parameters.
std::int64_t count_parameters(const torch::nn::Module& model);

/// Lays the 4-d parameters out as channels_last (torch::nn::Module::to has no memory format). Call
/// it before the optimizer is made.
void to_channels_last(torch::nn::Module& model);

}  // namespace mpbench::nn

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

/// Throws UsageError for an unknown model, activation or squeeze-excite, and where one of the two
/// is chosen for a model that has none to choose.
void require_model_options(const ModelOptions& options);

/// The side of the square images that an EfficientNet was designed for; 0 for the other models,
/// which have no size of their own. Throws UsageError for an unknown name.
int native_resolution(const std::string& model);

/// A freshly initialised model in float32, from torch's global generator: the same values as
/// torchvision's model of that name after the same seed. Throws as require_model_options.
std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options);

/// Trainable parameters.
std::int64_t count_parameters(const torch::nn::Module& model);

/// Lays the 4-d parameters out as channels_last (torch::nn::Module::to has no memory format). Call
/// it before the optimizer is made.
void to_channels_last(torch::nn::Module& model);

}  // namespace mpbench::nn

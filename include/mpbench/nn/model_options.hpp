#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mpbench::nn {

struct ModelOptions {
  std::string name = "cnn";
  int in_channels = 1;
  int outputs = 1;  ///< 1 for a binary question (a logit), the number of classes otherwise
  std::string activation = "silu";             ///< EfficientNet's: "silu" or "relu6"
  std::string squeeze_excite = "transformed";  ///< EfficientNet's: "transformed" (1x1 convolutions)
                                               ///< or "textbook" (mean and linear layers), as
                                               ///< SqueezeExciteForm
  std::string origin = "torchvision";  ///< EfficientNet's: "torchvision", "timm" or "timm-tf"; a
                                       ///< weights file sets it (EfficientNetOrigin)
};

/// Names that make_model knows, in the order help shows them.
const std::vector<std::string>& model_names();

/// Throws UsageError, with the choices, for a name that is not in model_names().
void require_model(const std::string& name);

/// Throws UsageError for an unknown model, activation, squeeze-excite or origin, and where one of
/// these is chosen for a model that has none to choose.
void require_model_options(const ModelOptions& options);

/// Throws UsageError naming --image-size where the network's pooling leaves nothing of such images.
void require_image_size(const std::string& model, int height, int width);

/// Throws UsageError naming --batch-size and --image-size where a batch of such images would give a
/// batch norm one value a channel, which has no variance: PyTorch refuses it in training mode.
void require_norm_values(const std::string& model, int height, int width, std::int64_t batch_size);

/// The side of the square images that an EfficientNet was designed for; 0 for the other models,
/// which have no size of their own. Throws UsageError for an unknown name.
int native_resolution(const std::string& model);

}  // namespace mpbench::nn

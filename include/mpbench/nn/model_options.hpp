#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mpbench/core/enum_names.hpp"

namespace mpbench::nn {

/// The networks that make_model knows.
enum class Network {
  cnn,
  resnet18,
  resnet50,
  efficientnet_b0,
  efficientnet_b1,
  efficientnet_b2,
  efficientnet_b3,
  efficientnet_b4,
  efficientnet_b5,
  efficientnet_b6,
  efficientnet_b7,
};

}  // namespace mpbench::nn

template <>
inline constexpr auto mpbench::enum_names<mpbench::nn::Network> =
    std::to_array<mpbench::EnumName<mpbench::nn::Network>>(
        {{mpbench::nn::Network::cnn, "cnn"},
         {mpbench::nn::Network::resnet18, "resnet18"},
         {mpbench::nn::Network::resnet50, "resnet50"},
         {mpbench::nn::Network::efficientnet_b0, "efficientnet-b0"},
         {mpbench::nn::Network::efficientnet_b1, "efficientnet-b1"},
         {mpbench::nn::Network::efficientnet_b2, "efficientnet-b2"},
         {mpbench::nn::Network::efficientnet_b3, "efficientnet-b3"},
         {mpbench::nn::Network::efficientnet_b4, "efficientnet-b4"},
         {mpbench::nn::Network::efficientnet_b5, "efficientnet-b5"},
         {mpbench::nn::Network::efficientnet_b6, "efficientnet-b6"},
         {mpbench::nn::Network::efficientnet_b7, "efficientnet-b7"}});

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

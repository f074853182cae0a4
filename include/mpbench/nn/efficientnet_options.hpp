#pragma once

#include <string_view>
#include <vector>

#include "mpbench/kernels/activation.hpp"

namespace mpbench::nn {

using kernels::Activation;

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

/// Whose EfficientNets a network computes as. Their tensors have the same shapes, and fit one
/// another; what differs is batch norm's epsilon, its momentum and the padding of the convolutions
/// of stride 2.
/// Sources: torchvision 0.26 `models/efficientnet.py`; timm 1.0 `timm/models/efficientnet.py`.
enum class EfficientNetOrigin {
  torchvision,  ///< the variant's epsilon and momentum
  timm,         ///< timm's efficientnet_*: 1e-5 and 0.1 for all variants
  timm_tf       ///< timm's tf_efficientnet_*: 1e-3 and 0.1, and TensorFlow's "same" padding
};

/// "torchvision", "timm", "timm-tf".
std::string_view to_string(EfficientNetOrigin origin);

/// The inverse; throws UsageError naming the choices.
EfficientNetOrigin parse_efficientnet_origin(std::string_view text);

/// B0 to B7.
const std::vector<EfficientNetVariant>& efficientnet_variants();

/// Null for a name that is not an EfficientNet's.
const EfficientNetVariant* find_efficientnet(std::string_view name);

/// Parses an EfficientNet's activation, "silu" or "relu6"; throws UsageError naming the choices.
Activation parse_activation(std::string_view text);

/// Two ways to compute the same squeeze-and-excitation.
enum class SqueezeExciteForm {
  transformed,  ///< pooling to 1x1 and 1x1 convolutions
  textbook,     ///< the mean over the image and matrix products
};

/// Parses "transformed" or "textbook"; throws UsageError naming the choices.
SqueezeExciteForm parse_squeeze_excite(std::string_view text);

}  // namespace mpbench::nn

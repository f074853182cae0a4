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

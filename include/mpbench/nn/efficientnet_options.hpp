#pragma once

#include <string_view>
#include <vector>

#include "mpbench/core/enum_names.hpp"
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

/// B0 to B7.
const std::vector<EfficientNetVariant>& efficientnet_variants();

/// Null for a name that is not an EfficientNet's.
const EfficientNetVariant* find_efficientnet(std::string_view name);

/// Two ways to compute the same squeeze-and-excitation.
enum class SqueezeExciteForm {
  conv,    ///< pooling to 1x1 and 1x1 convolutions
  linear,  ///< the mean over the image and linear layers
};

}  // namespace mpbench::nn

template <>
inline constexpr auto mpbench::enum_names<mpbench::nn::EfficientNetOrigin> =
    std::to_array<mpbench::EnumName<mpbench::nn::EfficientNetOrigin>>(
        {{mpbench::nn::EfficientNetOrigin::torchvision, "torchvision"},
         {mpbench::nn::EfficientNetOrigin::timm, "timm"},
         {mpbench::nn::EfficientNetOrigin::timm_tf, "timm-tf"}});

/// Those that an EfficientNet can have.
template <>
inline constexpr auto mpbench::enum_names<mpbench::nn::Activation> =
    std::to_array<mpbench::EnumName<mpbench::nn::Activation>>(
        {{mpbench::nn::Activation::silu, "silu"}, {mpbench::nn::Activation::relu6, "relu6"}});

template <>
inline constexpr auto mpbench::enum_names<mpbench::nn::SqueezeExciteForm> =
    std::to_array<mpbench::EnumName<mpbench::nn::SqueezeExciteForm>>(
        {{mpbench::nn::SqueezeExciteForm::conv, "transformed"},
         {mpbench::nn::SqueezeExciteForm::linear, "textbook"}});

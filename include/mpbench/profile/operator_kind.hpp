#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::profile {

/// What a step's time is spent on.
enum class OperatorKind {
  convolution_forward,
  convolution_data_gradient,
  convolution_weight_gradient,
  convolution_backward,  ///< both gradients, where they were not told apart
  depthwise,             ///< depthwise convolutions, in both directions
  norm_activation,       ///< batch norm and activation functions
  pooling,
  linear,  ///< linear layers and other matrix products
  loss,
  cast_copy,  ///< copies to another dtype or memory format
  optimizer,
  gradient_scaler,
  data_wait,
  other,  ///< other operators: residual additions, sums for the log, moving averages
  host,   ///< outside operators; on a GPU: the device is idle
};

}  // namespace mpbench::profile

template <>
inline constexpr auto mpbench::enum_names<mpbench::profile::OperatorKind> =
    std::to_array<mpbench::EnumName<mpbench::profile::OperatorKind>>(
        {{mpbench::profile::OperatorKind::convolution_forward, "convolution-forward"},
         {mpbench::profile::OperatorKind::convolution_data_gradient, "convolution-data-gradient"},
         {mpbench::profile::OperatorKind::convolution_weight_gradient,
          "convolution-weight-gradient"},
         {mpbench::profile::OperatorKind::convolution_backward, "convolution-backward"},
         {mpbench::profile::OperatorKind::depthwise, "depthwise-convolution"},
         {mpbench::profile::OperatorKind::norm_activation, "norm-activation"},
         {mpbench::profile::OperatorKind::pooling, "pooling"},
         {mpbench::profile::OperatorKind::linear, "linear"},
         {mpbench::profile::OperatorKind::loss, "loss"},
         {mpbench::profile::OperatorKind::cast_copy, "cast-copy"},
         {mpbench::profile::OperatorKind::optimizer, "optimizer"},
         {mpbench::profile::OperatorKind::gradient_scaler, "gradient-scaler"},
         {mpbench::profile::OperatorKind::data_wait, "data-wait"},
         {mpbench::profile::OperatorKind::other, "other"},
         {mpbench::profile::OperatorKind::host, "host"}});

namespace mpbench::profile {

/// Whether a kind's time is in convolutions or matrix products that units for 16-bit types speed
/// up. Depthwise convolutions are not: they are bound by memory.
constexpr bool is_matrix_work(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::convolution_forward:
    case OperatorKind::convolution_data_gradient:
    case OperatorKind::convolution_weight_gradient:
    case OperatorKind::convolution_backward:
    case OperatorKind::linear:
      return true;
    default:
      return false;
  }
}

}  // namespace mpbench::profile

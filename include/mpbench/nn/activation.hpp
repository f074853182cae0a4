#pragma once

#include <ATen/core/TensorBody.h>

#include <string_view>

#include "mpbench/kernels/batch_norm_activation.hpp"

namespace mpbench::nn {

using kernels::Activation;

/// Parses an EfficientNet's activation, "silu" or "relu6"; throws UsageError naming the choices.
Activation parse_activation(std::string_view text);

/// The activation of each element. ReLU works in place: give it what nobody else reads.
at::Tensor activate(const at::Tensor& input, Activation activation);

}  // namespace mpbench::nn

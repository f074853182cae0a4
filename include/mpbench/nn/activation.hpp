#pragma once

#include <ATen/core/TensorBody.h>

#include <string_view>

namespace mpbench::nn {

/// The function behind a normalisation. ReLU6 is min(max(x, 0), 6), SiLU is x * sigmoid(x).
enum class Activation { none, relu, relu6, silu };

/// Parses an EfficientNet's activation, "silu" or "relu6"; throws UsageError naming the choices.
Activation parse_activation(std::string_view text);

/// The activation of each element. ReLU works in place: give it what nobody else reads.
at::Tensor activate(const at::Tensor& input, Activation activation);

}  // namespace mpbench::nn

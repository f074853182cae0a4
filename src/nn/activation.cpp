#include "mpbench/nn/activation.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {

Activation parse_activation(std::string_view text) {
  if (text == "silu") return Activation::silu;
  if (text == "relu6") return Activation::relu6;
  throw UsageError(fmt::format("unknown activation '{}': choose silu, relu6", text));
}

at::Tensor activate(const at::Tensor& input, Activation activation) {
  // Only ReLU's gradient is made from its output. The others' needs their input, of which autograd
  // would keep a copy if they worked in place.
  switch (activation) {
    case Activation::relu:
      return input.relu_();
    case Activation::relu6:
      return torch::relu6(input);
    case Activation::silu:
      return torch::silu(input);
    case Activation::none:
      break;
  }
  return input;
}

}  // namespace mpbench::nn

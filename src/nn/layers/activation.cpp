#include "activation.hpp"

#include <torch/types.h>

namespace mpbench::nn {

torch::Tensor activate(const torch::Tensor& input, Activation activation) {
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

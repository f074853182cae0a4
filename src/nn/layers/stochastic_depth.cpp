#include "stochastic_depth.hpp"

#include <torch/types.h>

namespace mpbench::nn {

torch::Tensor stochastic_depth(const torch::Tensor& input, double p, bool training) {
  if (!training || p == 0) return input;
  const double survival = 1 - p;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()), 1);
  shape.front() = input.size(0);
  return input * torch::empty(shape, input.options()).bernoulli_(survival).div_(survival);
}

}  // namespace mpbench::nn

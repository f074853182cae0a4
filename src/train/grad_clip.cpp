#include "grad_clip.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"

namespace mpbench::train {

at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) throw UsageError(fmt::format("--clip-norm {}: must be above 0", max_norm));
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  gradients.reserve(parameters.size());
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return at::zeros({});

  const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
  // A product with the reciprocal, as Python divides a number by a tensor: a division would round
  // otherwise.
  const at::Tensor factor = ((norm + 1e-6).reciprocal() * max_norm).clamp_max(1.0);
  at::_foreach_mul_(gradients, factor);
  return norm;
}

}  // namespace mpbench::train

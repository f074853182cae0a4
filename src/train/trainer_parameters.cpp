#include <torch/types.h>

#include <limits>
#include <vector>

#include "mpbench/train/trainer.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {
namespace {

std::vector<torch::Tensor> last_gradients(const Trainer::State& s) {
  std::vector<torch::Tensor> gradients;
  if (!s.has_gradients) return gradients;
  for (const torch::Tensor& parameter : s.model->parameters()) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

/// Whether the scaler skipped the step that made them. They are still multiplied by its scale then;
/// those of every other step were divided by it where they lie, for clipping or by the optimizer's
/// kernel.
bool was_skipped(const Trainer::State& s, const std::vector<torch::Tensor>& gradients) {
  // A scale that changes begins to count anew, and a step that is skipped changes it.
  if (!s.scaler.is_enabled() || s.scaler.get_growth_tracker() > 0) return false;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const torch::Tensor largest = torch::stack(at::_foreach_norm(gradients, infinity));
  return !torch::isfinite(largest).all().item<bool>();
}

torch::Tensor on_host(const torch::Tensor& tensor) {
  return tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
}

std::span<const float> values_of(const torch::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

void Trainer::visit_parameters(const ParameterFunction& visit) const {
  const State& s = *state_;
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> gradients = last_gradients(s);
  const bool valid = !gradients.empty() && !was_skipped(s, gradients);
  for (const auto& parameter : s.model->named_parameters()) {
    const torch::Tensor weights = on_host(parameter.value());
    torch::Tensor gradient;
    if (valid && parameter.value().grad().defined()) gradient = on_host(parameter.value().grad());
    visit(parameter.key(), values_of(weights), values_of(gradient));
  }
}

}  // namespace mpbench::train

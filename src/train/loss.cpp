#include "mpbench/train/loss.hpp"

#include <torch/torch.h>

#include "mpbench/amp/autocast_guard.hpp"

namespace mpbench::train {

torch::Tensor Loss::operator()(const torch::Tensor& logits, const torch::Tensor& labels) const {
  // The CPU's autocast list does not name every op in here: outside autocast float32 stays float32.
  const amp::AutocastGuard no_autocast(logits.device().type(), torch::kBFloat16, /*enabled=*/false);
  const torch::Tensor exact = logits.to(torch::kFloat32);
  if (task == Task::multiclass) return torch::cross_entropy_loss(exact, labels);
  const torch::Tensor target = labels.to(torch::kFloat32);
  torch::Tensor weight;
  if (pos_weight) weight = torch::full({1}, *pos_weight, exact.options().requires_grad(false));
  return torch::binary_cross_entropy_with_logits(exact.squeeze(1), target, {}, weight,
                                                 at::Reduction::Mean);
}

torch::Tensor probabilities(Task task, const torch::Tensor& logits) {
  const torch::Tensor exact = logits.to(torch::kFloat32);
  return task == Task::binary ? exact.squeeze(1).sigmoid() : exact.softmax(1);
}

torch::Tensor predicted_class(Task task, const torch::Tensor& logits) {
  if (task == Task::multiclass) return logits.argmax(1);
  return (logits.squeeze(1) >= 0).to(torch::kInt64);
}

}  // namespace mpbench::train

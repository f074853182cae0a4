#include "mpbench/train/loss.hpp"

#include <torch/types.h>

#include <limits>

#include "mpbench/amp/autocast_guard.hpp"

namespace mpbench::train {
namespace {

/// 0 and 1 as smoothed targets of two classes.
torch::Tensor smoothed(const torch::Tensor& positive, double smoothing) {
  return smoothing == 0 ? positive : positive * (1 - smoothing) + smoothing / 2;
}

torch::Tensor binary_cross_entropy(const Loss& loss, const torch::Tensor& logits,
                                   const torch::Tensor& targets, at::Reduction::Reduction how) {
  torch::Tensor weight;
  if (loss.pos_weight) weight = torch::full({1}, *loss.pos_weight, targets.options());
  return torch::binary_cross_entropy_with_logits(logits, targets, {}, weight, how);
}

torch::Tensor cross_entropy(const Loss& loss, const torch::Tensor& logits,
                            const torch::Tensor& labels, at::Reduction::Reduction how) {
  constexpr std::int64_t ignore_no_label = -100;
  return torch::cross_entropy_loss(logits, labels, {}, how, ignore_no_label, loss.label_smoothing);
}

/// (1 - sum q p)^gamma from log(1 - p of the true class). The logarithm is what stays exact: 1 - p
/// itself rounds to 0 for a sure prediction, and the power's gradient would be 0 times infinity.
torch::Tensor focal_factor(const Loss& loss, const torch::Tensor& log_wrong, double classes) {
  const double s = loss.label_smoothing;
  if (s == 0) return (loss.focal_gamma * log_wrong).exp();
  return ((1 - s) * log_wrong.exp() + s * (classes - 1) / classes).pow(loss.focal_gamma);
}

torch::Tensor binary_focal(const Loss& loss, const torch::Tensor& logits,
                           const torch::Tensor& positive) {
  const torch::Tensor targets = smoothed(positive, loss.label_smoothing);
  const torch::Tensor log_wrong = torch::log_sigmoid(logits * (1 - 2 * positive));
  torch::Tensor each = focal_factor(loss, log_wrong, /*classes=*/2) *
                       binary_cross_entropy(loss, logits, targets, at::Reduction::None);
  if (loss.focal_alpha) {
    const double alpha = *loss.focal_alpha;
    each = (alpha * targets + (1 - alpha) * (1 - targets)) * each;
  }
  return each.mean();
}

torch::Tensor multiclass_focal(const Loss& loss, const torch::Tensor& logits,
                               const torch::Tensor& labels) {
  constexpr double log_of_nothing = -std::numeric_limits<double>::infinity();
  const torch::Tensor log_p = logits.log_softmax(1);
  const torch::Tensor log_wrong =
      log_p.scatter(1, labels.unsqueeze(1), log_of_nothing).logsumexp(1);
  return (focal_factor(loss, log_wrong, static_cast<double>(logits.size(1))) *
          cross_entropy(loss, logits, labels, at::Reduction::None))
      .mean();
}

}  // namespace

torch::Tensor Loss::operator()(const torch::Tensor& logits, const torch::Tensor& labels) const {
  // The CPU's autocast list does not name every op in here: outside autocast float32 stays float32.
  const amp::AutocastGuard no_autocast(logits.device().type(), torch::kBFloat16, /*enabled=*/false);
  const torch::Tensor exact = logits.to(torch::kFloat32);
  const bool focal = kind == LossKind::focal;
  if (task == Task::multiclass) {
    return focal ? multiclass_focal(*this, exact, labels)
                 : cross_entropy(*this, exact, labels, at::Reduction::Mean);
  }
  const torch::Tensor logit = exact.squeeze(1);
  const torch::Tensor positive = labels.to(torch::kFloat32);
  return focal ? binary_focal(*this, logit, positive)
               : binary_cross_entropy(*this, logit, smoothed(positive, label_smoothing),
                                      at::Reduction::Mean);
}

torch::Tensor probabilities(Task task, const torch::Tensor& logits) {
  const torch::Tensor exact = logits.to(torch::kFloat64);
  return task == Task::binary ? exact.squeeze(1).sigmoid() : exact.softmax(1);
}

torch::Tensor predicted_class(Task task, const torch::Tensor& logits) {
  if (task == Task::multiclass) return logits.argmax(1);
  return (logits.squeeze(1) >= 0).to(torch::kInt64);
}

}  // namespace mpbench::train

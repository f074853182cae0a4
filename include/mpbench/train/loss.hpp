#pragma once

#include <torch/types.h>

#include <optional>
#include <string>

namespace mpbench::train {

/// What the network is asked: one logit for "is it positive?", or one a class.
enum class Task { binary, multiclass };

inline Task task_of(int classes) { return classes == 2 ? Task::binary : Task::multiclass; }
inline int outputs_of(int classes) { return task_of(classes) == Task::binary ? 1 : classes; }

/// The loss, always in float32 whatever autocast is doing (a float16 sum over a batch overflows at
/// 65504).
///
/// An image's target q is 1 for its class and 0 elsewhere; label smoothing s makes it (1 - s) q +
/// s / classes (Szegedy et al. 2016; torch.nn.CrossEntropyLoss's, with two classes where binary).
/// With the probabilities p of the softmax (binary: p and 1 - p of the sigmoid):
/// cross-entropy is -sum q log p, and focal (Lin et al. 2017, eq. 5) multiplies it by
/// (1 - sum q p)^gamma, which for hard labels is (1 - p_t)^gamma.
struct Loss {
  Task task = Task::binary;
  /// Weight of the positives' term in the binary cross-entropy, in either kind; without it, 1.
  std::optional<double> pos_weight{};
  std::string kind = "cross-entropy";  ///< "cross-entropy" or "focal"
  double focal_gamma = 2.0;
  /// Binary focal loss: weight of positives; negatives get 1 - alpha. Without it, both count 1.
  std::optional<double> focal_alpha{};
  double label_smoothing = 0.0;

  /// logits [N, outputs] of any floating dtype, labels int64 [N] -> 0-dim float32, the batch's
  /// mean. Binary: on the logits (binary_cross_entropy itself is refused under CUDA autocast).
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) const;
};

/// Throws UsageError naming the flag and its range or choices, or an option that the task does not
/// have (pos_weight, --focal-alpha with more than two classes).
void validate(const Loss& loss);

/// logits [N, outputs] -> float32 probabilities: [N] of the positive class when binary, else [N,
/// classes].
torch::Tensor probabilities(Task task, const torch::Tensor& logits);

/// logits -> int64 [N], the class predicted (binary: 1 from a probability of 0.5 up).
torch::Tensor predicted_class(Task task, const torch::Tensor& logits);

}  // namespace mpbench::train

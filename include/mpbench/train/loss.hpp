#pragma once

#include <torch/types.h>

#include <optional>

namespace mpbench::train {

/// What the network is asked: one logit for "is it positive?", or one a class.
enum class Task { binary, multiclass };

inline Task task_of(int classes) { return classes == 2 ? Task::binary : Task::multiclass; }
inline int outputs_of(int classes) { return task_of(classes) == Task::binary ? 1 : classes; }

/// The loss, always in float32 whatever autocast is doing (a float16 sum over a batch overflows at
/// 65504).
struct Loss {
  Task task = Task::binary;
  /// Weight of the positives' term in the binary loss; without it, 1.
  std::optional<double> pos_weight;

  /// logits [N, outputs] of any floating dtype, labels int64 [N] -> 0-dim float32, the batch's
  /// mean. Binary: cross-entropy with logits (binary_cross_entropy itself is refused under CUDA
  /// autocast); else cross-entropy.
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) const;
};

/// logits [N, outputs] -> float32 probabilities: [N] of the positive class when binary, else [N,
/// classes].
torch::Tensor probabilities(Task task, const torch::Tensor& logits);

/// logits -> int64 [N], the class predicted (binary: 1 from a probability of 0.5 up).
torch::Tensor predicted_class(Task task, const torch::Tensor& logits);

}  // namespace mpbench::train

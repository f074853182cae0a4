#pragma once

#include <torch/types.h>

#include "mpbench/train/loss_options.hpp"

namespace mpbench::train {

/// The loss, always in float32 whatever autocast is doing (a float16 sum over a batch overflows at
/// 65504).
///
/// An image's target q is 1 for its class and 0 elsewhere; label smoothing s makes it (1 - s) q +
/// s / classes (Szegedy et al. 2016; torch.nn.CrossEntropyLoss's, with two classes where binary).
/// With the probabilities p of the softmax (binary: p and 1 - p of the sigmoid):
/// cross-entropy is -sum q log p, and focal (Lin et al. 2017, eq. 5) multiplies it by
/// (1 - sum q p)^gamma, which for hard labels is (1 - p_t)^gamma.
struct Loss : LossOptions {
  /// logits [N, outputs] of any floating dtype, labels int64 [N] -> 0-dim float32, the batch's
  /// mean. Binary: on the logits (binary_cross_entropy itself is refused under CUDA autocast).
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) const;
};

/// logits [N, outputs] -> float64 probabilities: [N] of the positive class when binary, else [N,
/// classes]. In float32 the sigmoid is 1 from a logit of 17 on.
torch::Tensor probabilities(Task task, const torch::Tensor& logits);

/// logits -> int64 [N], the class predicted (binary: 1 from a probability of 0.5 up).
torch::Tensor predicted_class(Task task, const torch::Tensor& logits);

}  // namespace mpbench::train

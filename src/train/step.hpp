#pragma once

#include <span>
#include <vector>

#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/precision.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/train/loss.hpp"
#include "optimizer.hpp"

namespace mpbench::train {

class Ema;
class TrainingSums;

/// What a step works with.
struct TrainStepContext {
  nn::ImageClassifier& model;
  const Loss& criterion;
  Optimizer& optimizer;
  amp::GradScaler& scaler;
  Precision precision = Precision::fp32;
  double clip_norm = 0;          ///< largest L2 norm of all gradients together; 0: not clipped
  Ema* ema = nullptr;            ///< follows the weights; null: none
  TrainingSums* sums = nullptr;  ///< takes loss and correct predictions; null: none
  /// Whether a CUDA graph records the step: weights are cast at each use, and sums are added by
  /// kernels of the step.
  bool recorded = false;
};

/// What one step made. The tensors are on the device and detached: reading them is the caller's
/// choice of moment.
struct StepResult {
  torch::Tensor loss;                 ///< 0-dim float32, the mean of the batches' losses
  std::vector<torch::Tensor> logits;  ///< [N, outputs] for each batch
  amp::StepOutcome outcome = amp::StepOutcome::stepped;
};

/// images [N, C, H, W] -> logits [N, outputs], under autocast where the precision is mixed.
torch::Tensor forward(nn::ImageClassifier& model, const torch::Tensor& images, Precision precision,
                      bool autocast_cache = true);

/// One optimizer step on the batches' mean gradient: forward, loss and scaled backward of each,
/// clipping of the unscaled gradients, update.
StepResult train_step(TrainStepContext& context, std::span<const data::Batch> batches);

}  // namespace mpbench::train

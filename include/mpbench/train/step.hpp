#pragma once

#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/precision.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/train/loss.hpp"
#include "mpbench/train/optimizer.hpp"

namespace mpbench::train {

/// What one step made. The tensors are on the device and detached: reading them is the caller's
/// choice of moment.
struct StepResult {
  torch::Tensor loss;    ///< 0-dim float32
  torch::Tensor logits;  ///< [N, outputs]
  amp::StepOutcome outcome = amp::StepOutcome::stepped;
};

/// images [N, C, H, W] -> logits [N, outputs], under autocast where the precision is mixed.
torch::Tensor forward(nn::ImageClassifier& model, const torch::Tensor& images, Precision precision);

/// One optimizer step: forward, loss, scaled backward, unscaled update.
StepResult train_step(nn::ImageClassifier& model, const data::Batch& batch, const Loss& criterion,
                      Optimizer& optimizer, amp::GradScaler& scaler, Precision precision);

}  // namespace mpbench::train

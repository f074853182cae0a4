#include "step.hpp"

#include <torch/types.h>

#include "ema.hpp"
#include "gradient_clip.hpp"
#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/device/nvtx_range.hpp"
#include "training_sums.hpp"

namespace mpbench::train {

torch::Tensor forward(nn::ImageClassifier& model, const torch::Tensor& images, Precision precision,
                      bool autocast_cache) {
  const auto dtype = precision == Precision::fp16 ? torch::kHalf : torch::kBFloat16;
  const amp::AutocastGuard autocast(images.device().type(), dtype, is_mixed(precision),
                                    autocast_cache);
  return model.forward(images);
}

StepResult train_step(Learner& learner, std::span<const data::Batch> batches) {
  StepResult result;
  const auto parts = static_cast<double>(batches.size());
  learner.optimizer.zero_grad();
  for (const data::Batch& batch : batches) {
    const device::NvtxRange range("forward and backward");
    const torch::Tensor logits =
        forward(learner.model, batch.images, learner.precision, !learner.recorded);
    torch::Tensor loss = learner.criterion(logits, batch.labels);
    if (batches.size() > 1) loss = loss / parts;
    learner.scaler.scale(loss).backward();
    result.loss = result.loss.defined() ? result.loss + loss.detach() : loss.detach();
    result.logits.push_back(logits.detach());
  }
  const device::NvtxRange range("update");
  if (learner.clip_norm > 0) {
    learner.scaler.unscale_(learner.optimizer);
    clip_gradients(learner.optimizer.parameters(), learner.clip_norm);
  }
  result.outcome = learner.scaler.step(learner.optimizer);
  learner.scaler.update();
  if (learner.ema != nullptr) learner.ema->update();
  if (learner.sums != nullptr) {
    learner.recorded ? learner.sums->add_at_once(result, batches)
                     : learner.sums->add(result, batches);
  }
  return result;
}

}  // namespace mpbench::train

#include "step.hpp"

#include <torch/types.h>

#include "ema.hpp"
#include "grad_clip.hpp"
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

StepResult train_step(TrainStepContext& context, std::span<const data::Batch> batches) {
  StepResult result;
  const auto parts = static_cast<double>(batches.size());
  context.optimizer.zero_grad();
  for (const data::Batch& batch : batches) {
    const device::NvtxRange range("forward and backward");
    const torch::Tensor logits =
        forward(context.model, batch.images, context.precision, !context.recorded);
    torch::Tensor loss = context.criterion(logits, batch.labels);
    if (batches.size() > 1) loss = loss / parts;
    context.scaler.scale(loss).backward();
    result.loss = result.loss.defined() ? result.loss + loss.detach() : loss.detach();
    result.logits.push_back(logits.detach());
  }
  const device::NvtxRange range("update");
  if (context.clip_norm > 0) {
    context.scaler.unscale_(context.optimizer);
    clip_grad_norm_(context.optimizer.parameters(), context.clip_norm);
  }
  result.outcome = context.scaler.step(context.optimizer);
  context.scaler.update();
  if (context.ema != nullptr) context.ema->update();
  if (context.sums != nullptr) {
    context.recorded ? context.sums->add_at_once(result, batches)
                     : context.sums->add(result, batches);
  }
  return result;
}

}  // namespace mpbench::train

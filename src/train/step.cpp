#include "step.hpp"

#include <torch/types.h>

#include "ema.hpp"
#include "grad_clip.hpp"
#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/device/step_range.hpp"
#include "training_sums.hpp"

namespace mpbench::train {

using device::StepPart;

torch::Tensor forward(nn::ImageClassifier& model, const torch::Tensor& images, Precision precision,
                      bool autocast_cache) {
  const auto dtype = precision == Precision::fp16 ? torch::kHalf : torch::kBFloat16;
  const amp::AutocastGuard autocast(images.device().type(), dtype, is_mixed(precision),
                                    autocast_cache);
  return model.forward(images);
}

namespace {

torch::Tensor loss_of(const TrainStepContext& context, const torch::Tensor& logits,
                      const torch::Tensor& labels) {
  const device::StepRange range(StepPart::loss);
  return context.criterion(logits, labels);
}

torch::Tensor scaled(const TrainStepContext& context, const torch::Tensor& loss) {
  const device::StepRange range(StepPart::gradient_scaler);
  return context.scaler.scale(loss);
}

void clip(const TrainStepContext& context) {
  const device::StepRange range(StepPart::gradient_clipping);
  context.scaler.unscale_(context.optimizer);
  clip_grad_norm_(context.optimizer.parameters(), context.clip_norm);
}

amp::StepOutcome update(const TrainStepContext& context) {
  const device::StepRange range(StepPart::gradient_scaler);
  const amp::StepOutcome outcome = context.scaler.step(context.optimizer);
  context.scaler.update();
  return outcome;
}

void add_to_sums(const TrainStepContext& context, const StepResult& result,
                 std::span<const data::Batch> batches) {
  const device::StepRange range(StepPart::sums);
  context.recorded ? context.sums->add_at_once(result, batches)
                   : context.sums->add(result, batches);
}

}  // namespace

StepResult train_step(TrainStepContext& context, std::span<const data::Batch> batches) {
  StepResult result;
  const auto parts = static_cast<double>(batches.size());
  context.optimizer.zero_grad();
  for (const data::Batch& batch : batches) {
    const device::StepRange range(StepPart::forward_and_backward);
    const torch::Tensor logits =
        forward(context.model, batch.images, context.precision, !context.recorded);
    torch::Tensor loss = loss_of(context, logits, batch.labels);
    if (batches.size() > 1) loss = loss / parts;
    scaled(context, loss).backward();
    result.loss = result.loss.defined() ? result.loss + loss.detach() : loss.detach();
    result.logits.push_back(logits.detach());
  }
  if (context.clip_norm > 0) clip(context);
  result.outcome = update(context);
  if (context.ema != nullptr) {
    const device::StepRange range(StepPart::weight_average);
    context.ema->update();
  }
  if (context.sums != nullptr) add_to_sums(context, result, batches);
  return result;
}

}  // namespace mpbench::train

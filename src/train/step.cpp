#include "mpbench/train/step.hpp"

#include <torch/torch.h>

#include "mpbench/amp/autocast_guard.hpp"

namespace mpbench::train {

torch::Tensor forward(nn::ImageClassifier& model, const torch::Tensor& images,
                      Precision precision) {
  const auto dtype = precision == Precision::fp16 ? torch::kHalf : torch::kBFloat16;
  const amp::AutocastGuard autocast(images.device().type(), dtype, is_mixed(precision));
  return model.forward(images);
}

StepResult train_step(nn::ImageClassifier& model, const data::Batch& batch, const Loss& criterion,
                      Optimizer& optimizer, amp::GradScaler& scaler, Precision precision) {
  optimizer.zero_grad();
  const torch::Tensor logits = forward(model, batch.images, precision);
  const torch::Tensor loss = criterion(logits, batch.labels);
  scaler.scale(loss).backward();
  const amp::StepOutcome outcome = scaler.step(optimizer);
  scaler.update();
  return {.loss = loss.detach(), .logits = logits.detach(), .outcome = outcome};
}

}  // namespace mpbench::train

#include "graphed_step.hpp"

#include <torch/types.h>

#include "ema.hpp"
#include "mpbench/device/device.hpp"

namespace mpbench::train {
StepResult GraphedStep::operator()(TrainStepContext context, std::span<const data::Batch> batches) {
  const data::Batch& batch = batches.front();
  // Its first update copies instead of averaging, and it counts on the host.
  Ema* const ema = std::exchange(context.ema, nullptr);
  // One-time allocations and the choice of kernels must lie behind: PyTorch's own advice is three.
  if (graph_ == nullptr && steps_ + 1 >= steps_to_record) record(context, batch);
  StepResult result;
  if (graph_ != nullptr && batch.images.sizes() == place_.images.sizes()) {
    if (!batch.images.is_same(place_.images)) place_.images.copy_(batch.images);
    place_.labels.copy_(batch.labels);
    graph_->replay();
    result = result_;
  } else {
    result = train_step(context, batches.first(1));
  }
  ++steps_;
  if (ema != nullptr) ema->update();
  return result;
}

void GraphedStep::record(const TrainStepContext& context, const data::Batch& batch) {
  place_ = {batch.images.clone(), batch.labels.clone(), {}};
  // Gradients of the eager steps would be kept alive outside the recording's pool of memory.
  context.optimizer.zero_grad();
  TrainStepContext recorded = context;
  recorded.recorded = true;
  const c10::Device device = batch.images.device();
  device::reset_peak_memory(device);
  graph_ = std::make_unique<device::CapturedGraph>(device, [&] {
    result_ = train_step(recorded, {&place_, 1});
  });
  if (const auto peak = device::peak_memory(device)) peak_bytes_ = peak->allocated_bytes;
}

}  // namespace mpbench::train

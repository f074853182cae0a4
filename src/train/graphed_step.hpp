#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "mpbench/data/loader.hpp"
#include "mpbench/device/cuda_graph.hpp"
#include "step.hpp"

namespace mpbench::train {

/// Training steps of one batch each that are recorded as a CUDA graph: the first few run as ever,
/// the next is recorded, and from then on each batch is put where the graph reads and the
/// graph started. A batch of another size runs as ever. Nothing in a step may wait for the device:
/// the optimizer is fused and has its learning rate in a tensor.
class GraphedStep {
 public:
  /// Steps until the graph is recorded; the ones after them only start it.
  static constexpr int steps_to_record = 4;

  /// As train_step. The context's parts must be the same each time. The tensors of the result are
  /// overwritten by the next step.
  StepResult operator()(TrainStepContext context, std::span<const data::Batch> batches);

  /// Where the graph reads the images: the next batch's may be put there. Undefined before there is
  /// a graph.
  const torch::Tensor& place() const { return place_.images; }

  /// The most memory in tensors while the graph was recorded: what a replay needs, of which the
  /// allocator's statistics know nothing. Empty before there is a graph.
  std::optional<std::int64_t> peak_bytes() const { return peak_bytes_; }

 private:
  void record(const TrainStepContext& context, const data::Batch& batch);

  std::int64_t steps_ = 0;
  data::Batch place_;  ///< where the graph reads
  StepResult result_;  ///< where it writes
  std::unique_ptr<device::CapturedGraph> graph_;
  std::optional<std::int64_t> peak_bytes_;
};

}  // namespace mpbench::train

#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "mpbench/data/loader.hpp"
#include "mpbench/train/loss.hpp"

namespace mpbench::train {

struct StepResult;

/// Loss and correct predictions, summed over an epoch's steps on the device. Only the readers wait
/// for it.
class TrainingSums {
 public:
  TrainingSums(Task task, torch::Device device);

  /// Adds a step. The tensors must stay as they are until settle(): what is kept is added up at
  /// once for several steps, as each of these small kernels costs as much to start as a large one.
  void add(const StepResult& step, std::span<const data::Batch> batches);
  /// Adds a step by kernels of its own, in place: what a CUDA graph can record.
  void add_at_once(const StepResult& step, std::span<const data::Batch> batches);
  /// Takes what add() kept into the sums.
  void settle();

  /// In place: a CUDA graph that adds to the sums goes on doing so.
  void set(double loss_sum, std::int64_t right);

  /// 0-dim float64 on the device: the sum of what was settled, or added at once.
  const torch::Tensor& loss_sum_on_device() const { return loss_sum_; }
  /// The sums over all steps. Wait for the device.
  double loss_sum();
  std::int64_t right();

 private:
  torch::Tensor count_right(const torch::Tensor& logits, const torch::Tensor& labels) const;

  Task task_;
  torch::Tensor loss_sum_;  ///< 0-dim float64
  torch::Tensor right_;     ///< 0-dim int64
  std::vector<torch::Tensor> losses_;
  std::vector<torch::Tensor> logits_;
  std::vector<torch::Tensor> labels_;
};

}  // namespace mpbench::train

#pragma once

#include <ATen/core/TensorBody.h>
#include <torch/nn/module.h>

#include <map>
#include <string>
#include <vector>

namespace mpbench::train {

/// An exponential moving average of a model's parameters and buffers, with the arithmetic of
/// torch.optim.swa_utils.AveragedModel(multi_avg_fn=get_ema_multi_avg_fn(decay),
/// use_buffers=True), to the bit on the CPU: the first update copies the model, each later one
/// makes average += (1 - decay) * (weight - average). Batch norm's running means and variances are
/// averaged as the weights are, because those of the trained weights do not fit averaged ones.
/// Integer buffers (num_batches_tracked) are copied, where AveragedModel truncates their average.
///
/// The decay is the same from the start, as in PyTorch: the average looks back over about
/// 1 / (1 - decay) updates, which should be few against the run.
class Ema {
 public:
  /// Starts from the model as it is. Make it after the model is on its device and in its memory
  /// format. It holds the model's tensors, not the module. Throws UsageError unless `decay` is in
  /// [0, 1).
  Ema(const torch::nn::Module& model, double decay);

  /// Takes in the model's values; call it after each optimizer step. Nothing waits for the device.
  /// Throws Error while an EmaWeightsGuard lives.
  void update();

  /// Tensors by name for a checkpoint, under the names of AveragedModel's state_dict():
  /// `module.NAME` for each parameter and buffer, and `n_averaged`, the number of updates (0-dim
  /// int64, on the CPU). They share memory with this object.
  std::map<std::string, at::Tensor> state() const;
  /// Copies such tensors in; throws Error when one is missing, left over, or of another shape or
  /// dtype.
  void load_state(const std::map<std::string, at::Tensor>& state);

 private:
  friend class EmaWeightsGuard;

  /// A tensor of the model and its average.
  struct Pair {
    std::string name;
    at::Tensor live;
    at::Tensor average;
  };

  double decay_;
  std::vector<Pair> pairs_;
  at::Tensor n_averaged_;
  bool in_model_ = false;  ///< an EmaWeightsGuard lives
};

/// Puts the averages into the model while it lives, for validation and for saving, and the trained
/// weights back at the end. Both are a change of pointers: nothing is copied. Do not train
/// meanwhile, nor run the model in training mode, where batch norm would write to the averages; and
/// make it outside an amp::AutocastGuard, whose cache of cast weights knows them by their tensor.
class EmaWeightsGuard {
 public:
  /// `ema` must outlive the guard. Throws Error when one lives already for it.
  explicit EmaWeightsGuard(Ema& ema);
  ~EmaWeightsGuard();

  EmaWeightsGuard(const EmaWeightsGuard&) = delete;
  EmaWeightsGuard& operator=(const EmaWeightsGuard&) = delete;

 private:
  void restore();

  Ema& ema_;
  std::vector<at::Tensor> trained_;  ///< one for each pair that was exchanged
};

}  // namespace mpbench::train

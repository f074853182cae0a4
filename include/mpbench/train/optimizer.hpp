#pragma once

#include <ATen/core/TensorBody.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mpbench/amp/scalable_optimizer.hpp"

namespace mpbench::train {

/// The defaults are those of torch.optim's Adam, AdamW and SGD, except AdamW's weight decay (0.01
/// there).
struct OptimizerOptions {
  std::string name = "adam";  ///< "adam", "adamw" or "sgd"
  double lr = 1e-3;
  double weight_decay = 0.0;
  double momentum = 0.0;  ///< sgd
  double beta1 = 0.9;     ///< adam, adamw
  double beta2 = 0.999;   ///< adam, adamw
  double eps = 1e-8;      ///< adam, adamw
  bool nesterov = false;  ///< sgd; needs momentum > 0
  /// True: GradScaler leaves unscaling and skipping to the kernel, without a host synchronisation.
  /// False: it decides on the host, as for Python's optimizers with fused=False. The arithmetic is
  /// the fused kernel's in both cases.
  bool fused = true;
  /// Keeps the learning rate in a float32 tensor on each device, so that a captured CUDA graph sees
  /// set_lr().
  bool tensor_lr = false;
};

/// Throws UsageError naming the field and its range when an option makes no sense, or the name is
/// unknown.
void validate(const OptimizerOptions& options);

/// Adam, AdamW or SGD on ATen's fused kernels.
class Optimizer : public amp::ScalableOptimizer {
 public:
  /// Drops the gradients (sets them to undefined, as Python's set_to_none).
  virtual void zero_grad() = 0;
  virtual double lr() const = 0;
  /// `lr` may be 0 (a schedule's warm-up or end); negative or not finite throws UsageError.
  virtual void set_lr(double lr) = 0;

  /// Tensors by name for a checkpoint: `exp_avg.N`, `exp_avg_sq.N`, `step.N` (Adam) or
  /// `momentum_buffer.N` (SGD), N being the parameter's index. They share memory with the
  /// optimizer.
  virtual std::map<std::string, at::Tensor> state() const = 0;
  /// Copies such tensors in; throws Error when one is missing, left over or of another shape.
  virtual void load_state(const std::map<std::string, at::Tensor>& state) = 0;
};

/// Throws UsageError as validate() does, or when `params` is empty. Make it after the parameters
/// are on their device and in their memory format: the optimizer's state takes both from them.
std::unique_ptr<Optimizer> make_optimizer(std::vector<at::Tensor> params,
                                          const OptimizerOptions& options);

}  // namespace mpbench::train

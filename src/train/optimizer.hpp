#pragma once

#include <ATen/core/TensorBody.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mpbench/amp/scalable_optimizer.hpp"
#include "mpbench/train/optimizer_options.hpp"

namespace mpbench::train {

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

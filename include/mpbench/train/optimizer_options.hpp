#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::train {

enum class OptimizerKind { adam, adamw, sgd };

/// The defaults are those of torch.optim's Adam, AdamW and SGD, except AdamW's weight decay (0.01
/// there).
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
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

}  // namespace mpbench::train

template <>
inline constexpr auto mpbench::enum_names<mpbench::train::OptimizerKind> =
    std::to_array<mpbench::EnumName<mpbench::train::OptimizerKind>>(
        {{mpbench::train::OptimizerKind::adam, "adam"},
         {mpbench::train::OptimizerKind::adamw, "adamw"},
         {mpbench::train::OptimizerKind::sgd, "sgd"}});

#pragma once

#include <ATen/core/TensorBody.h>

#include <vector>

namespace mpbench::amp {

/// What a fused optimizer needs to unscale, or to skip its step, on the device.
struct AmpScaling {
  /// 0-dim float32 by which the kernel divides the gradients; undefined when they are unscaled
  /// already.
  at::Tensor grad_scale;
  /// 0-dim float32, 0 when every gradient is finite; anything else makes the kernel leave all as it
  /// was.
  at::Tensor found_inf;
};

/// What GradScaler needs from an optimizer. Its address is its identity between two
/// GradScaler::update calls.
class ScalableOptimizer {
 public:
  virtual ~ScalableOptimizer() = default;

  /// All parameters, with or without a gradient; GradScaler unscales their gradients in place.
  virtual const std::vector<at::Tensor>& parameters() = 0;

  /// True when step() takes an AmpScaling and decides on the device whether to step.
  virtual bool supports_amp_scaling() const = 0;

  /// One update from the parameters' gradients. `scaling` is null for a plain step, and always null
  /// where supports_amp_scaling() is false.
  virtual void step(const AmpScaling* scaling) = 0;
};

}  // namespace mpbench::amp

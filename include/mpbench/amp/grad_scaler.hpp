#pragma once

#include <ATen/core/TensorBody.h>

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "mpbench/amp/grad_scaler_options.hpp"
#include "mpbench/amp/scalable_optimizer.hpp"

namespace mpbench::amp {

/// What GradScaler::step did with the parameters.
enum class [[nodiscard]] StepOutcome{
    stepped,
    skipped,                     ///< inf or NaN in the gradients: the parameters are as they were
    unknown_until_synchronised,  ///< the kernel decided on the device; skipped_steps() counts it
};

/// Dynamic loss scaling with the semantics of torch.amp.GradScaler of PyTorch 2.11, on the same
/// ATen operators.
///
///     optimizer.zero_grad();
///     scaler.scale(loss).backward();
///     const StepOutcome outcome = scaler.step(optimizer);
///     scaler.update();
///
/// Between two update() calls each optimizer may be unscaled once and stepped once, in that order;
/// every other order throws Error with the words that Python's scaler uses.
class GradScaler {
 public:
  /// Throws Error when growth_factor <= 1 or backoff_factor >= 1 (unless disabled).
  explicit GradScaler(const GradScalerOptions& options = {});

  /// `output` times the scale. The first call puts the scale on that output's device.
  at::Tensor scale(const at::Tensor& output);
  /// The same for outputs that may be on several devices.
  std::vector<at::Tensor> scale(const std::vector<at::Tensor>& outputs);

  /// Divides the gradients by the scale, in place, and records whether any is inf or NaN. For
  /// clipping between backward and step. Throws Error on a second call, after step(), and for
  /// float16 gradients.
  void unscale_(ScalableOptimizer& optimizer);

  /// Unscales if unscale_() was not called, and steps unless a gradient is inf or NaN. Without
  /// supports_amp_scaling() this waits for the device once; with it there is no synchronisation.
  StepOutcome step(ScalableOptimizer& optimizer);

  /// Backs off or grows the scale from what all optimizers found since the last call; `new_scale`
  /// sets it.
  void update(std::optional<double> new_scale = std::nullopt);
  /// Sets the scale from a one-element tensor on the scale's device type, without requires_grad.
  void update(const at::Tensor& new_scale);

  /// Starts again from `scale`, with no good and no skipped steps; in place, so that a recorded
  /// CUDA graph goes on with it. Call it after update().
  void reset(double scale);

  bool is_enabled() const { return enabled_; }
  /// The current scale, 1 when disabled. Waits for the device.
  double get_scale() const;
  /// Steps since the scale last changed or an inf was found; 0 when disabled. Waits for the device.
  std::int64_t get_growth_tracker() const;
  double growth_factor() const { return growth_factor_; }
  double backoff_factor() const { return backoff_factor_; }
  std::int64_t growth_interval() const { return growth_interval_; }

  /// Optimizer steps skipped since construction or reset(). Waits for the device: ask once an
  /// epoch, not each step.
  std::int64_t skipped_steps() const;

  /// What get_scale() reads: 0-dim float32, overwritten by update(). Throws Error before the first
  /// scale() and when disabled.
  at::Tensor scale_on_device() const;
  /// What skipped_steps() reads: 0-dim float64, overwritten by step(). Waits for the device only
  /// with an optimizer for which step() waits too.
  at::Tensor skipped_steps_on_device() const;

  /// `scale`, `growth_factor`, `backoff_factor`, `growth_interval`, `_growth_tracker`, as Python's
  /// state_dict(); an empty object when disabled. Call it after update(). Waits for the device.
  nlohmann::json state() const;
  /// Takes what state() (or Python's state_dict()) gave; throws Error when it is empty or a key is
  /// missing or not a number. Does nothing when disabled.
  void load_state(const nlohmann::json& state);

 private:
  enum class Stage { ready, unscaled, stepped };
  struct OptimizerState {
    Stage stage = Stage::ready;
    std::vector<at::Tensor> found_inf;  ///< 0-dim float32, one for each device that holds gradients
  };

  void create_scale(at::Device device);
  void require_scale(const char* caller) const;
  at::Tensor scalar_on_scale_device(double value) const;
  /// Undefined for none.
  at::Tensor sum_on_scale_device(const std::vector<at::Tensor>& values) const;
  std::vector<at::Tensor> unscale_gradients(ScalableOptimizer& optimizer,
                                            const at::Tensor& inverse_scale,
                                            bool allow_float16) const;
  StepOutcome step_fused(ScalableOptimizer& optimizer, OptimizerState& state);

  bool enabled_;
  double init_scale_;
  double growth_factor_;
  double backoff_factor_;
  std::int64_t growth_interval_;
  std::int64_t init_growth_tracker_ = 0;
  at::Tensor scale_;           ///< 0-dim float32, made by the first scale()
  at::Tensor growth_tracker_;  ///< 0-dim int32
  std::map<const ScalableOptimizer*, OptimizerState> states_;
  std::int64_t skipped_on_host_ = 0;
  at::Tensor skipped_on_device_;  ///< 0-dim float64; undefined until the first fused step
};

}  // namespace mpbench::amp

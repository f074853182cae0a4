#include "mpbench/amp/grad_scaler.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::amp {
namespace {

/// Copies of one tensor, made once for each device that asks. The first copy is a copy too: the
/// operators write to it.
class PerDeviceCopies {
 public:
  explicit PerDeviceCopies(at::Tensor master) : master_(std::move(master)) {}

  const at::Tensor& on(at::Device device) {
    for (const at::Tensor& copy : copies_) {
      if (copy.device() == device) {
        return copy;
      }
    }
    return copies_.emplace_back(
        master_.to(device, master_.scalar_type(), /*non_blocking=*/true, /*copy=*/true));
  }

  const std::vector<at::Tensor>& all() const { return copies_; }

 private:
  at::Tensor master_;
  std::vector<at::Tensor> copies_;
};

/// Gradients that one call of the foreach operator may take together.
struct GradientGroup {
  at::Device device;
  at::ScalarType dtype;
  std::vector<at::Tensor> gradients;
};

std::vector<at::Tensor>& group_for(std::vector<GradientGroup>& groups, const at::Tensor& gradient) {
  for (GradientGroup& group : groups) {
    if (group.device == gradient.device() && group.dtype == gradient.scalar_type()) {
      return group.gradients;
    }
  }
  return groups.emplace_back(GradientGroup{gradient.device(), gradient.scalar_type(), {}})
      .gradients;
}

double number(const nlohmann::json& state, const char* key) {
  const auto found = state.find(key);
  if (found == state.end() || !found->is_number()) {
    throw Error(fmt::format("GradScaler state: {} is missing or not a number", key));
  }
  return found->get<double>();
}

std::int64_t integer(const nlohmann::json& state, const char* key) {
  const auto found = state.find(key);
  if (found == state.end() || !found->is_number_integer()) {
    throw Error(fmt::format("GradScaler state: {} is missing or not an integer", key));
  }
  return found->get<std::int64_t>();
}

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& options)
    : enabled_(options.enabled),
      init_scale_(options.init_scale),
      growth_factor_(options.growth_factor),
      backoff_factor_(options.backoff_factor),
      growth_interval_(options.growth_interval) {
  // Written so that NaN fails as well.
  if (enabled_ && !(growth_factor_ > 1.0)) {
    throw Error("GradScaler: the growth factor must be > 1.0");
  }
  if (enabled_ && !(backoff_factor_ < 1.0)) {
    throw Error("GradScaler: the backoff factor must be < 1.0");
  }
}

void GradScaler::create_scale(at::Device device) {
  scale_ = at::full({}, init_scale_, at::TensorOptions(device).dtype(at::kFloat));
  growth_tracker_ = at::full({}, init_growth_tracker_, at::TensorOptions(device).dtype(at::kInt));
}

void GradScaler::require_scale(const char* caller) const {
  if (!scale_.defined()) {
    throw Error(fmt::format(
        "GradScaler: {} before the scale was initialised; scale(loss) was not called", caller));
  }
}

at::Tensor GradScaler::scalar_on_scale_device(double value) const {
  return at::full({}, value, scale_.options());
}

at::Tensor GradScaler::sum_on_scale_device(const std::vector<at::Tensor>& values) const {
  at::Tensor sum;
  for (const at::Tensor& value : values) {
    const at::Tensor here = value.to(scale_.device(), at::kFloat, /*non_blocking=*/true);
    sum = sum.defined() ? sum + here : here;
  }
  return sum;
}

at::Tensor GradScaler::scale(const at::Tensor& output) {
  if (!enabled_) {
    return output;
  }
  if (!scale_.defined()) {
    create_scale(output.device());
  }
  return output * scale_.to(output.device(), at::kFloat, /*non_blocking=*/true);
}

std::vector<at::Tensor> GradScaler::scale(const std::vector<at::Tensor>& outputs) {
  if (!enabled_ || outputs.empty()) {
    return outputs;
  }
  if (!scale_.defined()) {
    create_scale(outputs.front().device());
  }
  PerDeviceCopies scales(scale_);
  std::vector<at::Tensor> scaled;
  scaled.reserve(outputs.size());
  for (const at::Tensor& output : outputs) {
    scaled.push_back(output * scales.on(output.device()));
  }
  return scaled;
}

std::vector<at::Tensor> GradScaler::unscale_gradients(ScalableOptimizer& optimizer,
                                                      const at::Tensor& inverse_scale,
                                                      bool allow_float16) const {
  const at::NoGradGuard no_grad;
  std::vector<GradientGroup> groups;
  for (const at::Tensor& parameter : optimizer.parameters()) {
    at::Tensor& gradient = parameter.mutable_grad();
    if (!gradient.defined()) {
      continue;
    }
    if (!allow_float16 && gradient.scalar_type() == at::kHalf) {
      throw Error(
          "GradScaler: attempting to unscale FP16 gradients; keep the parameters in float32");
    }
    at::Tensor values = gradient;
    if (gradient.is_sparse()) {
      // Adding up duplicate indices may overflow float16, and that has to be seen.
      if (gradient.scalar_type() == at::kHalf) {
        gradient = gradient.coalesce();
      }
      values = gradient._values();
    }
    group_for(groups, values).push_back(values);
  }

  PerDeviceCopies inverse_scales(inverse_scale);
  PerDeviceCopies found_infs(scalar_on_scale_device(0.0));
  for (GradientGroup& group : groups) {
    // The operator only ever sets found_inf, to 1; it starts at 0 here.
    at::Tensor found_inf = found_infs.on(group.device);
    at::_amp_foreach_non_finite_check_and_unscale_(group.gradients, found_inf,
                                                   inverse_scales.on(group.device));
  }
  return found_infs.all();
}

void GradScaler::unscale_(ScalableOptimizer& optimizer) {
  if (!enabled_) {
    return;
  }
  require_scale("unscale_()");
  OptimizerState& state = states_[&optimizer];
  if (state.stage == Stage::unscaled) {
    throw Error(
        "GradScaler: unscale_() has already been called on this optimizer since the last update()");
  }
  if (state.stage == Stage::stepped) {
    throw Error("GradScaler: unscale_() is being called after step()");
  }
  // In float64: a float32 reciprocal may be imprecise, depending on how the kernel was compiled.
  const at::Tensor inverse_scale = scale_.to(at::kDouble).reciprocal().to(at::kFloat);
  state.found_inf = unscale_gradients(optimizer, inverse_scale, /*allow_float16=*/false);
  state.stage = Stage::unscaled;
}

StepOutcome GradScaler::step(ScalableOptimizer& optimizer) {
  if (!enabled_) {
    optimizer.step(nullptr);
    return StepOutcome::stepped;
  }
  require_scale("step()");
  OptimizerState& state = states_[&optimizer];
  if (state.stage == Stage::stepped) {
    throw Error("GradScaler: step() has already been called since the last update()");
  }
  if (optimizer.supports_amp_scaling()) {
    return step_fused(optimizer, state);
  }
  if (state.stage == Stage::ready) {
    unscale_(optimizer);
  }
  if (state.found_inf.empty()) {
    throw Error("GradScaler: no inf checks were recorded for this optimizer; it has no gradients");
  }
  double found = 0.0;
  for (const at::Tensor& found_inf : state.found_inf) {
    found += found_inf.item<double>();
  }
  if (found == 0.0) {
    optimizer.step(nullptr);
  } else {
    ++skipped_on_host_;
  }
  state.stage = Stage::stepped;
  return found == 0.0 ? StepOutcome::stepped : StepOutcome::skipped;
}

StepOutcome GradScaler::step_fused(ScalableOptimizer& optimizer, OptimizerState& state) {
  const at::NoGradGuard no_grad;
  AmpScaling scaling;
  if (state.stage == Stage::ready) {
    // Multiplies by one: it only looks for inf and NaN, and the kernel unscales.
    state.found_inf =
        unscale_gradients(optimizer, scalar_on_scale_device(1.0), /*allow_float16=*/true);
    scaling.grad_scale = scale_;
  }
  const at::Tensor found_inf = sum_on_scale_device(state.found_inf);
  scaling.found_inf = found_inf.defined() ? found_inf : scalar_on_scale_device(0.0);
  optimizer.step(&scaling);
  state.stage = Stage::stepped;
  if (!skipped_on_device_.defined()) {
    skipped_on_device_ = at::zeros({}, scale_.options().dtype(at::kDouble));
  }
  // 0 or 1, except where the sum is over several devices.
  skipped_on_device_ += state.found_inf.size() > 1 ? scaling.found_inf.sign() : scaling.found_inf;
  return StepOutcome::unknown_until_synchronised;
}

void GradScaler::update(std::optional<double> new_scale) {
  if (!enabled_) {
    return;
  }
  require_scale("update()");
  if (new_scale) {
    scale_.fill_(*new_scale);
    states_.clear();
    return;
  }
  std::vector<at::Tensor> all;
  for (const auto& [optimizer, state] : states_) {
    all.insert(all.end(), state.found_inf.begin(), state.found_inf.end());
  }
  const at::Tensor combined = sum_on_scale_device(all);
  if (!combined.defined()) {
    throw Error("GradScaler: no inf checks were recorded prior to update(); step() was not called");
  }
  at::_amp_update_scale_(scale_, growth_tracker_, combined, growth_factor_, backoff_factor_,
                         growth_interval_);
  states_.clear();
}

void GradScaler::update(const at::Tensor& new_scale) {
  if (!enabled_) {
    return;
  }
  require_scale("update()");
  if (!new_scale.defined() || new_scale.device().type() != scale_.device().type() ||
      new_scale.numel() != 1 || new_scale.requires_grad()) {
    throw Error(
        "GradScaler: update() takes a number or a tensor of one element on the scale's device "
        "type, "
        "without requires_grad");
  }
  scale_.copy_(new_scale.reshape({}));
  states_.clear();
}

double GradScaler::get_scale() const {
  if (!enabled_) {
    return 1.0;
  }
  return scale_.defined() ? scale_.item<double>() : init_scale_;
}

std::int64_t GradScaler::get_growth_tracker() const {
  if (!enabled_) {
    return 0;
  }
  return growth_tracker_.defined() ? growth_tracker_.item<std::int64_t>() : init_growth_tracker_;
}

std::int64_t GradScaler::skipped_steps() const {
  return skipped_on_host_ +
         (skipped_on_device_.defined() ? std::llround(skipped_on_device_.item<double>()) : 0);
}

at::Tensor GradScaler::scale_on_device() const {
  require_scale("scale_on_device()");
  return scale_;
}

at::Tensor GradScaler::skipped_steps_on_device() const {
  if (skipped_on_device_.defined() && skipped_on_host_ == 0) return skipped_on_device_;
  return at::full({}, skipped_steps(), at::kDouble);
}

nlohmann::json GradScaler::state() const {
  if (!enabled_) {
    return nlohmann::json::object();
  }
  return {{"scale", get_scale()},
          {"growth_factor", growth_factor_},
          {"backoff_factor", backoff_factor_},
          {"growth_interval", growth_interval_},
          {"_growth_tracker", get_growth_tracker()}};
}

void GradScaler::reset(double scale) {
  init_scale_ = scale;
  init_growth_tracker_ = 0;
  skipped_on_host_ = 0;
  if (scale_.defined()) {
    scale_.fill_(scale);
    growth_tracker_.zero_();
  }
  if (skipped_on_device_.defined()) skipped_on_device_.zero_();
}

void GradScaler::load_state(const nlohmann::json& state) {
  if (!enabled_) {
    return;
  }
  if (state.empty()) {
    throw Error(
        "GradScaler: the source state is empty, possibly because it was saved by a disabled "
        "scaler");
  }
  // All are read before any is set, so that a bad state changes nothing.
  const double scale = number(state, "scale");
  const double growth_factor = number(state, "growth_factor");
  const double backoff_factor = number(state, "backoff_factor");
  const std::int64_t growth_interval = integer(state, "growth_interval");
  const std::int64_t growth_tracker = integer(state, "_growth_tracker");
  init_scale_ = scale;
  growth_factor_ = growth_factor;
  backoff_factor_ = backoff_factor;
  growth_interval_ = growth_interval;
  init_growth_tracker_ = growth_tracker;
  if (scale_.defined()) {
    scale_.fill_(scale);
    growth_tracker_.fill_(growth_tracker);
  }
}

}  // namespace mpbench::amp

#include "training_windows.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace mpbench::train {
namespace {

constexpr std::int64_t cuda_window_steps = 10;

/// On its way to the host, without waiting: there once the window's end has passed on the device.
torch::Tensor copy_to_host(const torch::Tensor& value) {
  if (value.is_cpu()) return value;
  return torch::empty({}, value.options().device(torch::kCPU).pinned_memory(true))
      .copy_(value, /*non_blocking=*/true);
}

}  // namespace

TrainingWindows::TrainingWindows(Trainer::State& state, const ProgressFunction& progress)
    : state_(state),
      step_timer_(state.device),
      window_timer_(state.device),
      progress_(progress,
                {.label = fmt::format("epoch {}/{}", state.epochs_done + 1, state.config.epochs),
                 .total = state.train_loader.images_per_epoch(),
                 .unit = "images"}) {
  window_timer_.begin();
}

void TrainingWindows::step_done(std::int64_t images) {
  ++open_.steps;
  open_.images += images;
  if (state_.device.is_cpu()) {
    finish();
  } else if (open_.steps == cuda_window_steps) {
    close();
    if (closed_.size() > 1) look_at_oldest();
  }
}

void TrainingWindows::finish() {
  if (open_.steps > 0) close();
  while (!closed_.empty()) look_at_oldest();
}

void TrainingWindows::close() {
  State& s = state_;
  s.sums.settle();
  open_.loss_sum = copy_to_host(s.sums.loss_sum_on_device());
  if (s.scaler.is_enabled()) {
    open_.scale = copy_to_host(s.scaler.scale_on_device());
    open_.skipped = copy_to_host(s.scaler.skipped_steps_on_device());
  }
  open_.steps_done = s.steps_done;
  open_.epoch_steps = s.epoch.stats.steps;
  open_.epoch_images = s.epoch.stats.images;
  open_.lr = s.epoch.lr;
  window_timer_.end();
  closed_.push_back(std::exchange(open_, {}));
  window_timer_.begin();
}

void TrainingWindows::look_at_oldest() {
  const Window window = std::move(closed_.front());
  closed_.pop_front();
  const double seconds = window_timer_.next();
  double step_s = 0;
  for (std::int64_t i = 0; i < window.steps; ++i) {
    step_seconds_.push_back(step_timer_.next());
    step_s += step_seconds_.back();
  }
  check_health(window);
  tell(window, step_s);
  const double mean_loss = window.loss_sum.item<double>() / static_cast<double>(window.epoch_steps);
  progress_.report(window.epoch_images, window.images, seconds,
                   fmt::format("loss {:.4f}", mean_loss));
}

void TrainingWindows::tell(const Window& window, double step_s) {
  State& s = state_;
  const double loss_sum = window.loss_sum.item<double>();
  const double seen_before = std::exchange(s.epoch.loss_seen, loss_sum);
  if (!s.on_window) return;
  StepWindow told{.steps = window.steps,
                  .steps_done = window.steps_done,
                  .loss_sum = loss_sum - seen_before,
                  .step_s = step_s,
                  .lr = window.lr};
  if (s.scaler.is_enabled()) {
    told.loss_scale = window.scale.item<double>();
    told.skipped_steps = std::llround(window.skipped.item<double>());
  }
  s.on_window(told);
}

void TrainingWindows::check_health(const Window& window) {
  State& s = state_;
  if (!std::isfinite(window.loss_sum.item<double>())) {
    throw Diverged(fmt::format("the loss is not finite at step {}", window.steps_done));
  }
  if (!s.scaler.is_enabled()) return;
  if (window.scale.item<double>() == 0) {
    throw Diverged(fmt::format("the loss scale fell to 0 at step {}", window.steps_done));
  }
  const std::int64_t skipped = std::llround(window.skipped.item<double>());
  s.skipped_in_a_row =
      skipped - s.skipped_at_last_check == window.steps ? s.skipped_in_a_row + window.steps : 0;
  s.skipped_at_last_check = skipped;
  if (s.skipped_in_a_row >= s.config.stall_steps) {
    throw Diverged(fmt::format("stalled: each of the {} steps up to step {} overflowed",
                               s.skipped_in_a_row, window.steps_done));
  }
}

}  // namespace mpbench::train

#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>

#include "mpbench/core/progress.hpp"
#include "mpbench/device/step_timer.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {

/// Measures and watches the steps of one block. On the CPU each step is looked at as it ends. On
/// CUDA the host runs ahead of the device and looks at a window of steps while the device computes
/// the window after it, so that the device always has work.
class TrainingWindows {
 public:
  using State = Trainer::State;

  /// All three must outlive this.
  TrainingWindows(State& state, BlockResult& block, const ProgressFunction& progress);

  /// Around the work of a step, data excluded.
  void begin_step() { step_clock_.begin(); }
  void end_step() { step_clock_.end(); }
  /// After a step that was counted in block and state. Throws Diverged where the run has no future.
  void step_done(std::int64_t images);
  /// Ends the window: what it came to is on its way to the host.
  void close();
  /// Waits for the device, and looks at the steps that are left.
  void finish();

 private:
  struct Window {
    std::int64_t steps = 0;
    std::int64_t images = 0;
    std::int64_t steps_done = 0;    ///< of the run, at the window's end
    std::int64_t epoch_steps = 0;   ///< of the epoch, likewise
    std::int64_t epoch_images = 0;  ///< likewise
    // On the host, 0-dim; valid once the window's end has passed on the device.
    torch::Tensor loss_sum;
    torch::Tensor scale;    ///< undefined without a scaler, like what follows
    torch::Tensor skipped;  ///< steps since the run began
  };

  void look_at_oldest();
  void check_health(const Window& window);
  void report(const Window& window, double seconds);

  State& state_;
  BlockResult& block_;
  const ProgressFunction& progress_;
  device::StepTimer step_clock_;
  device::StepTimer window_clock_;
  Window open_;
  std::deque<Window> closed_;
  double images_per_s_ = 0;
};

}  // namespace mpbench::train

#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "mpbench/device/step_timer.hpp"
#include "progress_meter.hpp"
#include "trainer_state.hpp"

namespace mpbench::train {

/// Measures and watches the steps of one block. On the CPU each step is looked at as it ends. On
/// CUDA the host runs ahead of the device and looks at a window of steps while the device computes
/// the window after it, so that the device always has work.
class TrainingWindows {
 public:
  using State = Trainer::State;

  /// Both must outlive this.
  TrainingWindows(State& state, const ProgressFunction& progress);

  /// Around the work of a step, data excluded.
  void begin_step() { step_timer_.begin(); }
  void end_step() { step_timer_.end(); }
  /// After a step that the state has counted. Throws Diverged where going on makes no sense.
  void step_done(std::int64_t images);
  /// Ends the window: what it came to is on its way to the host.
  void close();
  /// Waits for the device, and looks at the steps that are left.
  void finish();
  /// Compute time of each step that was looked at.
  std::vector<double> take_step_seconds() { return std::move(step_seconds_); }

 private:
  struct Window {
    std::int64_t steps = 0;
    std::int64_t images = 0;
    std::int64_t steps_done = 0;    ///< of the run, at the window's end
    std::int64_t epoch_steps = 0;   ///< of the epoch, likewise
    std::int64_t epoch_images = 0;  ///< likewise
    double lr = 0;                  ///< of the last step
    // On the host, 0-dim; valid once the window's end has passed on the device.
    torch::Tensor loss_sum;
    torch::Tensor scale;    ///< undefined without a scaler, like what follows
    torch::Tensor skipped;  ///< steps since the run began
  };

  void look_at_oldest();
  void check_health(const Window& window);
  /// `step_s`: what its steps took.
  void tell(const Window& window, double step_s);

  State& state_;
  device::StepTimer step_timer_;
  device::StepTimer window_timer_;
  Window open_;
  std::deque<Window> closed_;
  std::vector<double> step_seconds_;
  ProgressMeter progress_;
};

}  // namespace mpbench::train

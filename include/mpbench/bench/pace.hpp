#pragma once

#include <cstdint>
#include <memory>

#include "mpbench/train/trainer.hpp"

namespace mpbench::bench {

/// Who decides when a run trains, where several take turns.
class Pace {
 public:
  Pace() = default;
  Pace(const Pace&) = delete;
  Pace& operator=(const Pace&) = delete;
  virtual ~Pace() = default;

  /// Waits until the run may warm up; everything is loaded by then.
  virtual void wait_to_warm_up() = 0;
  /// Called before the first step: how many the run has.
  virtual void run_begins(std::int64_t total_steps) = 0;
  /// Waits for the run's turn. Returns how many steps it may take now; 0: the run ends here.
  virtual std::int64_t next_steps() = 0;
  /// Whether the steps of this turn are to be profiled.
  virtual bool profiles() const { return false; }
  /// What those steps came to. They may be fewer than allowed, where an epoch ends within them; the
  /// rest is then what next_steps() returns.
  virtual void steps_done(const train::StepStats& stats, std::int64_t skipped_steps,
                          bool run_finished) = 0;
};

/// Takes turns as another process says: `mpbench compare`, which started this one and reads and
/// writes its descriptor 3. Throws UsageError where that is no socket, and Interrupted from
/// next_steps() where that process is gone.
std::unique_ptr<Pace> conducted_pace();

}  // namespace mpbench::bench

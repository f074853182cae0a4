#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <deque>
#include <optional>
#include <vector>

#include "mpbench/core/timer.hpp"

namespace mpbench::device {

/// How long each step takes on a device. On a GPU events in its stream mark where a step begins and
/// ends, so that the host does not wait for it; on the CPU a clock does. Times are read in the
/// order of the steps, each once.
class StepTimer {
 public:
  explicit StepTimer(c10::Device device) : device_(device) {}

  /// A step that was begun and not ended is begun anew.
  void begin();
  void end();

  /// Seconds of the oldest step that was ended and not read yet; waits for its end on the device,
  /// and for nothing behind it. Throws Error where there is none.
  double next();
  /// The same where that step has ended, nothing where it has not or there is none. Does not wait.
  std::optional<double> next_if_finished();

 private:
  struct Events {
    c10::Event begin;
    c10::Event end;
  };

  Events unused_events();

  c10::Device device_;
  Stopwatch stopwatch_;
  std::deque<double> seconds_;   ///< CPU
  std::optional<Events> begun_;  ///< CUDA, like what follows
  std::deque<Events> ended_;
  /// Read, to be recorded again: making an event costs as much as starting a kernel.
  std::vector<Events> unused_;
};

}  // namespace mpbench::device

#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <utility>
#include <vector>

#include "mpbench/core/timer.hpp"

namespace mpbench::device {

/// How long each of some pieces of work takes on a device. On a GPU the pieces' ends are marked by
/// events in its stream, so that nothing waits while the work goes on; on the CPU by a clock.
class StepClock {
 public:
  explicit StepClock(c10::Device device) : device_(device) {}

  void begin();
  void end();
  /// Seconds of each piece since the last call, in order. Waits for the device.
  std::vector<double> collect();

 private:
  c10::Device device_;
  Stopwatch stopwatch_;
  std::vector<double> seconds_;
  std::vector<std::pair<c10::Event, c10::Event>> events_;
};

}  // namespace mpbench::device

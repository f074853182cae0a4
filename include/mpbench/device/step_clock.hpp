#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>

#include <deque>
#include <optional>
#include <vector>

#include "mpbench/core/timer.hpp"

namespace mpbench::device {

/// How long each of some pieces of work takes on a device. On a GPU the pieces' ends are marked by
/// events in its stream, so that nothing waits while the work goes on; on the CPU by a clock.
/// Measured pieces are told in order, each once.
class StepClock {
 public:
  explicit StepClock(c10::Device device) : device_(device) {}

  /// A piece that was begun and not ended is begun anew.
  void begin();
  void end();

  /// Seconds of the oldest piece that was ended and not told yet; waits for its end on the device,
  /// and for nothing behind it. There must be one.
  double next();
  /// The same where that piece has ended, nothing where it has not or there is none. Does not wait.
  std::optional<double> next_if_finished();
  /// Seconds of all pieces that were ended and not told yet. Waits for the last of them.
  std::vector<double> collect();

 private:
  struct Piece {
    c10::Event first;
    c10::Event last;
  };

  Piece unused_piece();

  c10::Device device_;
  Stopwatch stopwatch_;
  std::deque<double> seconds_;  ///< CPU
  std::optional<Piece> begun_;  ///< CUDA, like what follows
  std::deque<Piece> ended_;
  std::vector<Piece>
      told_;  ///< to record again: making an event costs as much as starting a kernel
};

}  // namespace mpbench::device

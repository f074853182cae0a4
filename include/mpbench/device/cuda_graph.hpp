#pragma once

#include <c10/core/Device.h>

#include <functional>

namespace mpbench::device {

/// Work for a GPU that is captured once and then started as a whole, as a CUDA graph: the host no
/// longer starts each kernel. The work must always do the same on the same tensors, wait for
/// nothing, and have run a few times before, so that what is allocated once is there.
class CapturedGraph {
 public:
  /// Captures `work`, on a stream of its own, without running it. Throws Error where there is no
  /// CUDA, or for another device.
  CapturedGraph(c10::Device device, const std::function<void()>& work);
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;

  /// Runs what was captured, on the current stream.
  void replay() { replay_(); }

 private:
  std::function<void()> replay_;  ///< holds the graph
};

}  // namespace mpbench::device

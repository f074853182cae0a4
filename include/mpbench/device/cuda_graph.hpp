#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace mpbench::device {

class RecordedWork;

/// Work for a GPU that is recorded once and then started as a whole, as a CUDA graph: the host no
/// longer starts each kernel. The work must always do the same on the same tensors, wait for
/// nothing, and have run a few times before, so that what is allocated once is there.
class CudaGraph {
 public:
  /// Records `work`, on a stream of its own, without running it. Throws Error where there is no
  /// CUDA, or for another device.
  CudaGraph(c10::Device device, const std::function<void()>& work);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  /// Runs what was recorded, on the current stream.
  void replay();

 private:
  std::unique_ptr<RecordedWork> recorded_;
};

}  // namespace mpbench::device

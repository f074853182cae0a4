#include "recorded_work.hpp"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace mpbench::device {
namespace {

class CapturedGraph : public RecordedWork {
 public:
  at::cuda::CUDAGraph graph;
  void replay() override { graph.replay(); }
};

void end_capture(std::unique_ptr<CapturedGraph>& recorded) {
  try {
    recorded->graph.capture_end();
  } catch (...) {
    // ATen's allocator goes on asking a graph whose capture failed to end: it has to outlive it.
    static_cast<void>(recorded.release());
    throw;
  }
}

}  // namespace

std::unique_ptr<RecordedWork> record_work(c10::Device device, const std::function<void()>& work) {
  auto recorded = std::make_unique<CapturedGraph>();
  auto& graph = recorded->graph;
  const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
  const c10::cuda::CUDAStreamGuard guard(stream);
  // Thread-local: the loader's threads may allocate pinned memory meanwhile.
  graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    // An unfinished capture would poison the stream; what it says of itself is not the reason.
    try {
      end_capture(recorded);
    } catch (const c10::Error&) {
    }
    throw;
  }
  end_capture(recorded);
  return recorded;
}

}  // namespace mpbench::device

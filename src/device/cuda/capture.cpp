#include "capture.hpp"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <memory>

namespace mpbench::device {
namespace {

void end_capture(std::unique_ptr<at::cuda::CUDAGraph>& graph) {
  try {
    graph->capture_end();
  } catch (...) {
    // ATen's allocator goes on asking a graph whose capture failed to end: it has to outlive it.
    static_cast<void>(graph.release());
    throw;
  }
}

}  // namespace

std::function<void()> capture(c10::Device device, const std::function<void()>& work) {
  auto graph = std::make_unique<at::cuda::CUDAGraph>();
  const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
  const c10::cuda::CUDAStreamGuard guard(stream);
  // Thread-local: the loader's threads may allocate pinned memory meanwhile.
  graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    // An unfinished capture would poison the stream; what it says of itself is not the reason.
    try {
      end_capture(graph);
    } catch (const c10::Error&) {
    }
    throw;
  }
  end_capture(graph);
  // std::function's content can be copied.
  return [captured = std::shared_ptr(std::move(graph))] { captured->replay(); };
}

}  // namespace mpbench::device

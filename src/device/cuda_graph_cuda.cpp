#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "mpbench/core/error.hpp"
#include "mpbench/device/cuda_graph.hpp"
#include "mpbench/device/device.hpp"

namespace mpbench::device {

struct CudaGraph::State {
  at::cuda::CUDAGraph graph;
};

CudaGraph::CudaGraph(c10::Device device, const std::function<void()>& work)
    : state_(std::make_unique<State>()) {
  if (!device.is_cuda()) throw Error("a CUDA graph needs a CUDA device");
  synchronize(device);
  const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
  const c10::cuda::CUDAStreamGuard guard(stream);
  // Thread-local: the loader's threads may allocate pinned memory meanwhile.
  state_->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    // An unfinished capture would poison the stream; what it says of itself is not the reason.
    try {
      state_->graph.capture_end();
    } catch (const c10::Error&) {
    }
    throw;
  }
  state_->graph.capture_end();
}

CudaGraph::~CudaGraph() = default;

void CudaGraph::replay() { state_->graph.replay(); }

}  // namespace mpbench::device

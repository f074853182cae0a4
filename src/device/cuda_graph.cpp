#include "mpbench/device/cuda_graph.hpp"

#include "mpbench/core/error.hpp"

// With CUDA all of it is in cuda_graph_cuda.cpp.
#ifndef MPBENCH_WITH_CUDA
namespace mpbench::device {

struct CudaGraph::State {};

CudaGraph::CudaGraph(c10::Device /*device*/, const std::function<void()>& /*work*/) {
  throw Error("a CUDA graph needs CUDA, and this mpbench was built without the CUDA toolkit");
}
CudaGraph::~CudaGraph() = default;
void CudaGraph::replay() {}

}  // namespace mpbench::device
#endif

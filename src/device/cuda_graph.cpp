#include "mpbench/device/cuda_graph.hpp"

#include <ATen/DeviceAccelerator.h>

#include "cuda_library.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::device {

CapturedGraph::CapturedGraph(c10::Device device, const std::function<void()>& work) {
  if (!device.is_cuda()) throw Error("a CUDA graph needs a CUDA device");
  if (cuda() == nullptr) throw Error("a CUDA graph needs CUDA: " + cuda_absence());
  synchronize(device);
  // A capture allocates from a pool of its own, which cannot use what earlier work left cached.
  at::accelerator::emptyCache();
  replay_ = cuda()->capture(device, work);
}

}  // namespace mpbench::device

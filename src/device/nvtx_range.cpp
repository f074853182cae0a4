#include "mpbench/device/nvtx_range.hpp"

#include <torch/csrc/profiler/stubs/base.h>

namespace mpbench::device {

NvtxRange::NvtxRange(const char* name) : pushed_(torch::profiler::impl::cudaStubs()->enabled()) {
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePush(name);
}

NvtxRange::~NvtxRange() {
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePop();
}

}  // namespace mpbench::device

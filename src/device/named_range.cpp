#include "mpbench/device/named_range.hpp"

#include <torch/csrc/profiler/stubs/base.h>

namespace mpbench::device {

NamedRange::NamedRange(const char* name) : pushed_(torch::profiler::impl::cudaStubs()->enabled()) {
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePush(name);
}

NamedRange::~NamedRange() {
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePop();
}

}  // namespace mpbench::device

#include "mpbench/device/step_range.hpp"

#include <torch/csrc/profiler/stubs/base.h>

namespace mpbench::device {

StepRange::StepRange(StepPart part)
    : pushed_(torch::profiler::impl::cudaStubs()->enabled()), record_(at::RecordScope::USER_SCOPE) {
  // The table's names are literals, which end in a zero.
  const char* const name = enum_name(part).data();
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePush(name);
  if (record_.isActive()) record_.before(name);
}

StepRange::~StepRange() {
  if (pushed_) torch::profiler::impl::cudaStubs()->rangePop();
}

}  // namespace mpbench::device

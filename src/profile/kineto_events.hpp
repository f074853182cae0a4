#pragma once

#include <torch/csrc/autograd/profiler_kineto.h>

#include <vector>

#include "profiled_event.hpp"

namespace mpbench::profile {

/// The profiler's events on the host, each with the time of the kernels that it started itself.
std::vector<ProfiledEvent> host_events(const torch::autograd::profiler::ProfilerResult& result);

}  // namespace mpbench::profile

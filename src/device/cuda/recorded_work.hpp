#pragma once

#include "../cuda_library.hpp"

namespace mpbench::device {

/// Captures `work` as a CUDA graph, on a stream of its own, without running it.
std::unique_ptr<RecordedWork> record_work(c10::Device device, const std::function<void()>& work);

}  // namespace mpbench::device

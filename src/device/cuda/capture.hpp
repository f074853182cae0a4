#pragma once

#include <c10/core/Device.h>

#include <functional>

namespace mpbench::device {

/// Captures `work` as a CUDA graph, on a stream of its own, without running it. What is returned
/// holds the graph and replays it.
std::function<void()> capture(c10::Device device, const std::function<void()>& work);

}  // namespace mpbench::device

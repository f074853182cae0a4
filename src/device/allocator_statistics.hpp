#pragma once

#include <c10/core/CachingDeviceAllocator.h>

#include <optional>

namespace mpbench::device {

/// The counters of the device's allocator; nothing on the CPU, and where CUDA is not initialised,
/// which asking would not change but answer with an error.
std::optional<c10::CachingDeviceAllocator::DeviceStats> allocator_statistics(c10::Device device);

}  // namespace mpbench::device

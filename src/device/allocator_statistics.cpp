#include "allocator_statistics.hpp"

namespace mpbench::device {

std::optional<c10::CachingDeviceAllocator::DeviceStats> allocator_statistics(c10::Device device) {
  if (device.is_cpu()) return std::nullopt;
  // Not at::getDeviceAllocator, which throws where LibTorch's CUDA side is not loaded.
  auto* const allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return std::nullopt;
  return allocator->getDeviceStats(device.index());
}

}  // namespace mpbench::device

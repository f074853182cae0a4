#include "out_of_memory.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "mpbench/device/device.hpp"

namespace mpbench::train {
namespace {

// What says so in a message where the exception's type does not. ATen's allocator on the CPU throws
// a plain c10::Error, pinned memory a CUDA error, cuDNN and cuBLAS their status.
constexpr std::array<std::string_view, 8> texts{
    "DefaultCPUAllocator",
    "out of memory",
    "OutOfMemoryError",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
};

// cuDNN's search says no more when each algorithm lacked its workspace.
constexpr std::string_view no_algorithm = "unable to find an engine";

std::string message_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
}

}  // namespace

bool is_out_of_memory(const std::exception& error, c10::Device device) {
  if (dynamic_cast<const OutOfMemory*>(&error) != nullptr ||
      dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
      dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return true;
  }
  const std::string text = message_of(error);
  if (std::ranges::any_of(
          texts, [&](std::string_view part) { return text.find(part) != std::string::npos; })) {
    return true;
  }
  return text.find(no_algorithm) != std::string::npos && device::refused_allocations(device) > 0;
}

void rethrow_naming(const std::exception& error, c10::Device device, const std::string& where) {
  if (!is_out_of_memory(error, device)) throw;
  const std::string reason = message_of(error);
  throw OutOfMemory(
      fmt::format("memory ran out {}: {}", where, reason.substr(0, reason.find('\n'))));
}

}  // namespace mpbench::train

#include "mpbench/device/out_of_memory.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "allocator_statistics.hpp"

namespace mpbench::device {
namespace {

// "out of memory": CUDA's error 2, from any of its calls, pinned memory (cudaHostAlloc) included.
// DefaultCPUAllocator: ATen's on the CPU, which throws a plain c10::Error. "could not create a
// memory object" and the like of oneDNN say nothing of the reason, so they are not here.
constexpr std::array<std::string_view, 6> certain{
    "out of memory",
    "DefaultCPUAllocator",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"};

// cuDNN's search tries each engine with its workspace, and where none gets one it has found none;
// the handles of both libraries take memory of the device when they are made.
constexpr std::array<std::string_view, 4> possible{
    "unable to find an engine", "CUDNN_STATUS_NOT_INITIALIZED", "CUBLAS_STATUS_NOT_INITIALIZED",
    "CUDNN_STATUS_INTERNAL_ERROR"};

template <std::size_t count>
bool contains_any(std::string_view text, const std::array<std::string_view, count>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

}  // namespace

bool is_out_of_memory(const std::exception& error, bool refused) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string_view text = error.what();
  return contains_any(text, certain) || (refused && contains_any(text, possible));
}

bool is_out_of_memory(const std::exception& error, c10::Device device) {
  const auto statistics = allocator_statistics(device);
  return is_out_of_memory(error, statistics && statistics->num_ooms > 0);
}

}  // namespace mpbench::device

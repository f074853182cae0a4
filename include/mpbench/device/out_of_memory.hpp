#pragma once

#include <c10/core/Device.h>

#include <exception>

namespace mpbench::device {

/// Whether an error says that memory ran out, on a GPU or here: by its type, by the texts of ATen,
/// CUDA, cuDNN, cuBLAS and oneDNN, and where `refused` also by those that cuDNN and cuBLAS give for
/// lack of memory among other reasons. `refused`: the device's allocator has refused an allocation.
bool is_out_of_memory(const std::exception& error, bool refused);

/// The same with the device's own count of refused allocations.
bool is_out_of_memory(const std::exception& error, c10::Device device);

}  // namespace mpbench::device

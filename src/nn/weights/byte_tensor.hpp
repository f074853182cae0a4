#pragma once

#include <ATen/core/TensorBody.h>

#include <cstddef>
#include <memory>
#include <span>

namespace mpbench::nn {

/// The bytes of a file as a 1-d tensor on the CPU: a view of them that keeps `owner` alive, or a
/// copy where they are not aligned for `dtype`, or bools that are neither 0 nor 1. `bytes` holds
/// whole elements.
at::Tensor byte_tensor(std::span<const std::byte> bytes, at::ScalarType dtype,
                       std::shared_ptr<const void> owner);

}  // namespace mpbench::nn

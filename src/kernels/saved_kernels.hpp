#pragma once

#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>

#include "dispatch.hpp"

namespace mpbench::kernels {

/// Keeps the kernels of a forward pass for its backward pass, when the guard may be gone.
inline void save_kernels(torch::autograd::AutogradContext& context, const KernelTable& kernels) {
  context.saved_data["instructions"] = static_cast<std::int64_t>(kernels.instructions);
}

inline const KernelTable& saved_kernels(torch::autograd::AutogradContext& context) {
  const std::int64_t instructions = context.saved_data["instructions"].toInt();
  return *kernel_table(static_cast<InstructionSet>(instructions));
}

}  // namespace mpbench::kernels

#pragma once

#include <ATen/core/TensorBody.h>

namespace mpbench::kernels {

/// The largest of each 2 x 2 pixels, [N, C, H, W] -> [N, C, H/2, W/2]: what max_pool2d(input, 2)
/// gives, to the bit, and is where no CpuKernelsGuard with norm_and_pooling lives or the input is
/// not a channels_last tensor on the CPU.
///
/// The framework keeps where each of them was, as 8 bytes, and its backward pass adds to zeros.
/// Here the backward pass looks at the pixels again, and writes each value once.
at::Tensor max_pool_2x2(const at::Tensor& input);

}  // namespace mpbench::kernels

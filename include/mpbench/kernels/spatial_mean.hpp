#pragma once

#include <ATen/core/TensorBody.h>

namespace mpbench::kernels {

/// The mean over the image, [N, C, H, W] -> [N, C, 1, 1]: what adaptive_avg_pool2d(input, {1, 1})
/// gives, and is where the input is not channels_last, or is on the CPU and no CpuKernelsGuard with
/// norm_and_pooling lives.
///
/// The framework's backward pass writes the gradient out as large as the image and in NCHW, and
/// adding that to what else the image takes part in (a squeeze-and-excitation's product) is a
/// sixth of an EfficientNet's step. Here it is a view that repeats one value a channel.
at::Tensor spatial_mean(const at::Tensor& input);

}  // namespace mpbench::kernels

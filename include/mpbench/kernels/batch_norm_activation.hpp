#pragma once

#include <torch/nn/modules/batchnorm.h>

#include "mpbench/kernels/activation.hpp"

namespace mpbench::kernels {

/// Whether batch_norm_activation computes this: a CpuKernelsGuard with norm_and_pooling lives, the
/// module is training, and the input is a dense channels_last tensor [N, C, H, W] of float32,
/// bfloat16 or float16 on the CPU with more than one value a channel; parameters and running
/// statistics in float32. Elsewhere use the framework's operations.
bool fuses_batch_norm(const torch::nn::BatchNorm2dImpl& norm, const at::Tensor& input);

/// activation(norm(input)) as one operation for autograd, [N, C, H, W] -> the same, in the input's
/// type; the module's running statistics move as torch's do. Only where fuses_batch_norm.
///
/// Between normalisation and activation values stay in float32, and the backward pass keeps the
/// input alone and computes the activation anew. Statistics are summed in float32 over a part of
/// the rows and in float64 over the parts; results do not depend on the number of threads.
at::Tensor batch_norm_activation(torch::nn::BatchNorm2dImpl& norm, const at::Tensor& input,
                                 Activation activation);

}  // namespace mpbench::kernels

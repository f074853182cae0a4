#pragma once

#include <ATen/core/TensorBody.h>

#include "mpbench/kernels/activation.hpp"

namespace mpbench::nn {

using kernels::Activation;

/// The activation of each element. ReLU works in place: give it what nobody else reads.
at::Tensor activate(const at::Tensor& input, Activation activation);

}  // namespace mpbench::nn

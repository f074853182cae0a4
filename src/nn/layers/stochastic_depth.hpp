#pragma once

#include <ATen/core/TensorBody.h>

namespace mpbench::nn {

/// While training, zeroes each image's whole tensor with probability `p` and divides the others by
/// 1 - p; otherwise gives `input` back. Huang et al., "Deep Networks with Stochastic Depth",
/// arXiv:1603.09382. Draws N numbers from torch's global generator, in the order of the images.
at::Tensor stochastic_depth(const at::Tensor& input, double p, bool training);

}  // namespace mpbench::nn

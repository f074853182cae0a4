#pragma once

#include <ATen/core/TensorBody.h>

#include <vector>

namespace mpbench::train {

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), in place, norm being the L2 norm of
/// all of them together, and returns that norm as it was before: 0-dim, on the first gradient's
/// device. The arithmetic is that of torch.nn.utils.clip_grad_norm_, to the bit on the CPU.
///
/// Parameters without a gradient are passed over; with none at all the norm is 0. Nothing waits for
/// the device. With a GradScaler call it between unscale_() and step(): the norm of scaled
/// gradients means nothing, and once an inf or NaN has spread here to the other gradients,
/// unscale_() has already recorded that this step is to be skipped. `max_norm` may be infinite, to
/// measure only; throws UsageError unless it is above 0.
at::Tensor clip_grad_norm_(const std::vector<at::Tensor>& parameters, double max_norm);

}  // namespace mpbench::train

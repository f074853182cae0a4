#pragma once

#include <optional>

#include "profiled_event.hpp"

namespace mpbench::profile {

/// What one call computes and moves.
struct OperatorCost {
  /// Multiplications and additions, as torch.utils.flop_counter.FlopCounterMode counts them: those
  /// of convolutions and matrix products alone. Empty for others, and where the shapes are not
  /// known. A convolution in groups has for its weight gradient what it has for the others;
  /// FlopCounterMode takes it for one without groups there.
  std::optional<double> flop{};
  /// Bytes of the tensors that it reads and of those that it writes, each once. Empty where the
  /// shapes are not known.
  std::optional<double> bytes{};
};

OperatorCost cost_of(const ProfiledEvent& call);

/// The size of a convolution's output: [N, outputs, ...]. Empty where the shapes do not fit.
Shape convolution_output(const Shape& input, const Shape& weight,
                         const ConvolutionSettings& settings);

/// Whether each channel is convolved by itself.
bool is_depthwise(const Shape& input, const ConvolutionSettings& settings);

}  // namespace mpbench::profile

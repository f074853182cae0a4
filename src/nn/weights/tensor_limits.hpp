#pragma once

#include <cstddef>

namespace mpbench::nn {

/// A weights file with a tensor of more dimensions is refused: sizes are copied each time that a
/// tensor is made. A convolution's weight has four.
constexpr std::size_t most_dimensions = 8;

}  // namespace mpbench::nn

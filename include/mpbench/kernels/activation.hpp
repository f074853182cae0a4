#pragma once

namespace mpbench::kernels {

/// The function behind a normalisation. ReLU6 is min(max(x, 0), 6), SiLU is x * sigmoid(x).
enum class Activation { none, relu, relu6, silu };

}  // namespace mpbench::kernels

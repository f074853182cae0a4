#pragma once

#include <string_view>

namespace mpbench::kernels {

/// What computes bf16 and fp16 convolutions and matrix products on a CPU without arithmetic for
/// them.
enum class Emulation {
  automatic,  ///< float32 kernels, from the 16-bit operands; the result is rounded once
  framework,  ///< the framework's code for the 16-bit type
};

/// Parses "auto" or "framework"; throws UsageError naming the choices.
Emulation parse_emulation(std::string_view text);

/// The name that parse_emulation reads.
std::string_view to_string(Emulation choice);

}  // namespace mpbench::kernels

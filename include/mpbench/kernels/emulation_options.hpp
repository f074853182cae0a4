#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::kernels {

/// What computes bf16 and fp16 convolutions and matrix products on a CPU without arithmetic for
/// them.
enum class Emulation {
  automatic,  ///< float32 kernels, from the 16-bit operands; the result is rounded once
  framework,  ///< the framework's code for the 16-bit type
};

}  // namespace mpbench::kernels

template <>
inline constexpr auto mpbench::enum_names<mpbench::kernels::Emulation> =
    std::to_array<mpbench::EnumName<mpbench::kernels::Emulation>>(
        {{mpbench::kernels::Emulation::automatic, "auto"},
         {mpbench::kernels::Emulation::framework, "framework"}});

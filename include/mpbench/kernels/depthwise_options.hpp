#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::kernels {

/// How depthwise convolutions are computed on the CPU.
enum class Depthwise {
  automatic,  ///< our own kernels where they are the faster way, else the framework's
  framework,  ///< always the framework's own, in the dtype that autocast chose
  fp32,       ///< the framework's own in float32, from operands rounded to the dtype autocast chose
};

}  // namespace mpbench::kernels

template <>
inline constexpr auto mpbench::enum_names<mpbench::kernels::Depthwise> =
    std::to_array<mpbench::EnumName<mpbench::kernels::Depthwise>>(
        {{mpbench::kernels::Depthwise::automatic, "auto"},
         {mpbench::kernels::Depthwise::framework, "framework"},
         {mpbench::kernels::Depthwise::fp32, "fp32"}});

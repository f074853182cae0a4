#pragma once

#include "mpbench/core/enum_names.hpp"

namespace mpbench::kernels {

/// How depthwise convolutions are computed on the CPU.
enum class DepthwiseBackend {
  automatic,  ///< our own kernels where they are the faster way, else the framework's
  framework,  ///< always the framework's own, in the dtype that autocast chose
  fp32,       ///< the framework's own in float32, from operands rounded to the dtype autocast chose
};

}  // namespace mpbench::kernels

template <>
inline constexpr auto mpbench::enum_names<mpbench::kernels::DepthwiseBackend> =
    std::to_array<mpbench::EnumName<mpbench::kernels::DepthwiseBackend>>(
        {{mpbench::kernels::DepthwiseBackend::automatic, "auto"},
         {mpbench::kernels::DepthwiseBackend::framework, "framework"},
         {mpbench::kernels::DepthwiseBackend::fp32, "fp32"}});

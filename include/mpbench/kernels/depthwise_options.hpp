#pragma once

#include <string_view>

namespace mpbench::kernels {

/// How depthwise convolutions are computed on the CPU.
enum class DepthwiseBackend {
  automatic,  ///< our own kernels where they are the faster way, else the framework's
  framework,  ///< always the framework's own, in the dtype that autocast chose
  fp32,       ///< the framework's own in float32, from operands rounded to the dtype autocast chose
};

/// Parses "auto", "framework" or "fp32"; throws UsageError naming the choices.
DepthwiseBackend parse_depthwise(std::string_view text);

/// The name that parse_depthwise reads.
std::string_view to_string(DepthwiseBackend choice);

}  // namespace mpbench::kernels

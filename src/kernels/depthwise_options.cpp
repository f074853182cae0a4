#include "mpbench/kernels/depthwise_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

DepthwiseBackend parse_depthwise(std::string_view text) {
  for (const DepthwiseBackend choice :
       {DepthwiseBackend::automatic, DepthwiseBackend::framework, DepthwiseBackend::fp32}) {
    if (text == to_string(choice)) return choice;
  }
  throw UsageError(fmt::format("--depthwise {}: choose auto, framework or fp32", text));
}

std::string_view to_string(DepthwiseBackend choice) {
  switch (choice) {
    case DepthwiseBackend::framework:
      return "framework";
    case DepthwiseBackend::fp32:
      return "fp32";
    default:
      return "auto";
  }
}

}  // namespace mpbench::kernels

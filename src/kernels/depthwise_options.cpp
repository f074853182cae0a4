#include "mpbench/kernels/depthwise_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

Depthwise parse_depthwise(std::string_view text) {
  for (const Depthwise choice : {Depthwise::automatic, Depthwise::framework, Depthwise::fp32}) {
    if (text == to_string(choice)) return choice;
  }
  throw UsageError(fmt::format("--depthwise {}: choose auto, framework or fp32", text));
}

std::string_view to_string(Depthwise choice) {
  switch (choice) {
    case Depthwise::framework:
      return "framework";
    case Depthwise::fp32:
      return "fp32";
    default:
      return "auto";
  }
}

}  // namespace mpbench::kernels

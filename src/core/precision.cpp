#include "mpbench/core/precision.hpp"

#include <fmt/format.h>

#include <array>

#include "mpbench/core/error.hpp"

namespace mpbench {
namespace {
constexpr std::array<std::string_view, 4> names{"fp32", "tf32", "bf16", "fp16"};
}

Precision parse_precision(std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return static_cast<Precision>(i);
  }
  throw UsageError(fmt::format("unknown precision '{}': choose fp32, tf32, bf16 or fp16", text));
}

std::string_view to_string(Precision precision) {
  return names.at(static_cast<std::size_t>(precision));
}

}  // namespace mpbench

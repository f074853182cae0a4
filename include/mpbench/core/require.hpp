#pragma once

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>

#include "mpbench/core/error.hpp"

/// Checks of options, whose failures all read alike.
namespace mpbench {

/// Throws UsageError "OPTION VALUE: must be RANGE" unless `good`. Conditions are to be written so
/// that NaN fails as well.
template <class Value>
void require(bool good, std::string_view option, const Value& value, std::string_view range) {
  if (!good) throw UsageError(fmt::format("{} {}: must be {}", option, value, range));
}

/// Whether a number stays finite when it is computed with in float32; false for NaN.
inline bool is_finite_float(double value) {
  return std::abs(value) <= std::numeric_limits<float>::max();
}

/// Whether it is above 0 in float32 too. The range for require() to name is positive_float_range.
inline bool is_positive_float(double value) {
  return is_finite_float(value) && value >= std::numeric_limits<float>::min();
}
constexpr std::string_view positive_float_range =
    "above 0 and finite in float32 (1.2e-38 to 3.4e38)";

/// Throws UsageError "OPTION VALUE: choose A, B, C" unless the value is one of the choices.
inline void require_choice(std::string_view option, std::string_view value,
                           std::span<const std::string_view> choices) {
  for (const auto choice : choices) {
    if (value == choice) return;
  }
  throw UsageError(fmt::format("{} {}: choose {}", option, value, fmt::join(choices, ", ")));
}
inline void require_choice(std::string_view option, std::string_view value,
                           std::initializer_list<std::string_view> choices) {
  require_choice(option, value, std::span(choices.begin(), choices.size()));
}

}  // namespace mpbench

#pragma once

#include <fmt/format.h>

#include <initializer_list>
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

/// Throws UsageError "OPTION VALUE: choose A, B, C" unless the value is one of the choices.
inline void require_choice(std::string_view option, std::string_view value,
                           std::initializer_list<std::string_view> choices) {
  for (const auto choice : choices) {
    if (value == choice) return;
  }
  throw UsageError(fmt::format("{} {}: choose {}", option, value, fmt::join(choices, ", ")));
}

}  // namespace mpbench

#pragma once

#include <fmt/format.h>

#include <string_view>

#include "mpbench/core/error.hpp"

namespace mpbench::train {

/// Throws UsageError "OPTION VALUE: must be RANGE" unless it holds. Written so that NaN fails too.
void require_range(bool holds, std::string_view option, const auto& value, std::string_view range) {
  if (!holds) throw UsageError(fmt::format("{} {}: must be {}", option, value, range));
}

}  // namespace mpbench::train

#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/report/terminal_table.hpp"

namespace mpbench::report {

/// The cell of what was not measured.
inline const std::string nothing = "-";

/// A rate or time with three digits or more that mean something.
std::string figure(const std::optional<double>& value);

std::string ratio_text(double ratio);

/// "1.503 [1.455, 1.551]", or the figure alone where it has no interval.
template <class Format>
std::string estimate_text(const std::optional<double>& value, const std::optional<double>& low,
                          const std::optional<double>& high, Format format) {
  if (!value) return nothing;
  if (!low || !high) return format(*value);
  return fmt::format("{} [{}, {}]", format(*value), format(*low), format(*high));
}

/// The verdicts of a row. One on the null arm would be one on the measuring: there is none.
TextCell speed_verdict_cell(const bench::Comparison& row);
TextCell accuracy_verdict_cell(const bench::Comparison& row);

/// " [95 % CI]"; empty where it is not known.
std::string confidence_label(const bench::Comparison& row);

}  // namespace mpbench::report

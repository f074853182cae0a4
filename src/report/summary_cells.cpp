#include "summary_cells.hpp"

namespace mpbench::report {
namespace {

Colour colour_of(stats::SpeedVerdict verdict) {
  switch (verdict) {
    case stats::SpeedVerdict::faster:
      return Colour::good;
    case stats::SpeedVerdict::slower:
      return Colour::bad;
    case stats::SpeedVerdict::equivalent:
    case stats::SpeedVerdict::unresolved:
      break;
  }
  return Colour::dim;
}

Colour colour_of(stats::AccuracyVerdict verdict) {
  switch (verdict) {
    case stats::AccuracyVerdict::non_inferior:
    case stats::AccuracyVerdict::equivalent:
      return Colour::good;
    case stats::AccuracyVerdict::inferior:
      return Colour::bad;
    case stats::AccuracyVerdict::inconclusive:
      break;
  }
  return Colour::dim;
}

template <class Verdict>
TextCell verdict_cell(const bench::Comparison& row, const std::optional<Verdict>& verdict) {
  if (row.arm_kind == bench::ArmKind::null) return {"null arm", Colour::dim};
  if (!verdict) return {nothing, Colour::dim};
  return {std::string(enum_name(*verdict)), colour_of(*verdict)};
}

}  // namespace

std::string figure(const std::optional<double>& value) {
  if (!value) return nothing;
  const int decimals = *value >= 1000 ? 0 : *value >= 100 ? 1 : *value >= 10 ? 2 : 3;
  return fmt::format("{:.{}f}", *value, decimals);
}

std::string ratio_text(double ratio) { return fmt::format("{:.{}f}", ratio, ratio < 10 ? 3 : 1); }

TextCell speed_verdict_cell(const bench::Comparison& row) {
  return verdict_cell(row, row.speed_verdict);
}

TextCell accuracy_verdict_cell(const bench::Comparison& row) {
  return verdict_cell(row, row.accuracy_verdict);
}

std::string confidence_label(const bench::Comparison& row) {
  return row.confidence ? fmt::format(" [{:g} % CI]", 100 * *row.confidence) : std::string();
}

}  // namespace mpbench::report

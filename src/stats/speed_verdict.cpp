#include "mpbench/stats/speed_verdict.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

void require_equivalence_test(double equivalence, double level) {
  if (!(equivalence >= 0 && std::isfinite(equivalence))) {
    throw UsageError(
        fmt::format("the smallest speed-up that matters is not below 0, not {}", equivalence));
  }
  if (!(level > 0 && level < 0.5)) {
    throw UsageError(
        fmt::format("equivalence is tested at a level between 0 and 0.5, not {}", level));
  }
}

/// Of either kind of interval.
SpeedVerdict verdict_by_interval(const auto& interval, double equivalence) {
  const bool too_small_to_matter = within_equivalence(interval, equivalence);
  if (interval.low > 0) return SpeedVerdict::faster;
  if (interval.high < 0) return SpeedVerdict::slower;
  return too_small_to_matter ? SpeedVerdict::equivalent : SpeedVerdict::unresolved;
}

}  // namespace

SpeedVerdict speed_verdict(const SessionInterval& interval, double equivalence) {
  return verdict_by_interval(interval, equivalence);
}

bool within_equivalence(const SessionInterval& interval, double equivalence) {
  require_equivalence_test(equivalence, interval.level);
  if (interval.sessions < 2) throw Error("a verdict needs two sessions");
  const double half_width = t_upper_quantile(interval.level, interval.sessions - 1) * interval.sd /
                            std::sqrt(interval.sessions);
  return std::abs(interval.mean) + half_width < std::log1p(equivalence);
}

SpeedVerdict speed_verdict(const MeanDifference& change, double equivalence) {
  return verdict_by_interval(change, equivalence);
}

bool within_equivalence(const MeanDifference& change, double equivalence) {
  require_equivalence_test(equivalence, change.level);
  if (!(change.degrees > 0)) throw Error("a verdict needs two sessions");
  const double half_width = t_upper_quantile(change.level, change.degrees) * change.standard_error;
  return std::abs(change.difference) + half_width < std::log1p(equivalence);
}

}  // namespace mpbench::stats

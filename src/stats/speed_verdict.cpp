#include "mpbench/stats/speed_verdict.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "student_t.hpp"

namespace mpbench::stats {

SpeedVerdict speed_verdict(const SessionInterval& interval, double equivalence) {
  const bool too_small_to_matter = within_equivalence(interval, equivalence);
  if (interval.low > 0) return SpeedVerdict::faster;
  if (interval.high < 0) return SpeedVerdict::slower;
  return too_small_to_matter ? SpeedVerdict::equivalent : SpeedVerdict::unresolved;
}

bool within_equivalence(const SessionInterval& interval, double equivalence) {
  if (!(equivalence >= 0 && std::isfinite(equivalence))) {
    throw UsageError(
        fmt::format("the smallest speed-up that matters is not below 0, not {}", equivalence));
  }
  if (!(interval.level > 0 && interval.level < 0.5)) {
    throw UsageError(
        fmt::format("equivalence is tested at a level between 0 and 0.5, not {}", interval.level));
  }
  if (interval.sessions < 2) throw Error("a verdict needs two sessions");
  const double half_width = t_upper_quantile(interval.level, interval.sessions - 1) * interval.sd /
                            std::sqrt(interval.sessions);
  return std::abs(interval.mean) + half_width < std::log1p(equivalence);
}

}  // namespace mpbench::stats

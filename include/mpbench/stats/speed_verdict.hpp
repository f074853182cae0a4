#pragma once

#include "mpbench/core/enum_names.hpp"
#include "mpbench/stats/mean_difference.hpp"
#include "mpbench/stats/session_statistics.hpp"

namespace mpbench::stats {

/// What the sessions say of an arm's speed beside the baseline's. `equivalent` is a claim, that the
/// speed-up is too small to matter; `unresolved` is none.
enum class SpeedVerdict { faster, slower, equivalent, unresolved };

}  // namespace mpbench::stats

template <>
inline constexpr auto mpbench::enum_names<mpbench::stats::SpeedVerdict> =
    std::to_array<mpbench::EnumName<mpbench::stats::SpeedVerdict>>(
        {{mpbench::stats::SpeedVerdict::faster, "faster"},
         {mpbench::stats::SpeedVerdict::slower, "slower"},
         {mpbench::stats::SpeedVerdict::equivalent, "equivalent"},
         {mpbench::stats::SpeedVerdict::unresolved, "unresolved"}});

namespace mpbench::stats {

/// `faster` where the interval's low end is above 0, `slower` where its high end is below 0, else
/// `equivalent` where within_equivalence() holds, else `unresolved`. `equivalence` is the smallest
/// speed-up that matters, as a share: 0.02 is 2 %. Throws as within_equivalence() does.
SpeedVerdict speed_verdict(const SessionInterval& interval, double equivalence);

/// Whether the speed-up is shown to lie between 1 / (1 + equivalence) and 1 + equivalence: two
/// one-sided t tests at interval.level each (Schuirmann 1987), which is to say that the interval of
/// confidence 1 - 2 interval.level lies within the logarithms of these bounds. This can hold for a
/// speed-up that differs from 1 as well: the arm is faster then, by less than `equivalence`. Throws
/// UsageError for an `equivalence` below 0 or a level that is not between 0 and 0.5, and Error for
/// fewer than two sessions.
bool within_equivalence(const SessionInterval& interval, double equivalence);

/// The same of two sets of sessions that are independent of one another: `change` is a difference
/// of logarithms of speeds.
SpeedVerdict speed_verdict(const MeanDifference& change, double equivalence);
bool within_equivalence(const MeanDifference& change, double equivalence);

}  // namespace mpbench::stats

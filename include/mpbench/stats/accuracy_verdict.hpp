#pragma once

#include "mpbench/core/enum_names.hpp"
#include "mpbench/stats/metric_comparison.hpp"

namespace mpbench::stats {

/// What an interval of the difference says of a loss of at most `margin`.
enum class AccuracyVerdict { non_inferior, equivalent, inferior, inconclusive };

/// A verdict needs at least this many seeds: fewer say too little on chance in training.
constexpr int fewest_seeds = 3;
/// And this many positive and as many negative patients; of more than two classes this many in all.
constexpr int fewest_patients = 10;

/// - `equivalent`: the whole interval lies in (-margin, margin) (two one-sided tests; Schuirmann,
///   Journal of Pharmacokinetics and Biopharmaceutics 15, 1987);
/// - `non_inferior`: the interval excludes a loss of the margin or more (ICH E9, 3.3.2);
/// - `inferior`: the interval excludes every loss below the margin;
/// - `inconclusive`: none of them; fewer than fewest_seeds seeds, fewer than fewest_patients
///   patients; no interval; or the same difference to the last bit for every seed, which is one
///   training repeated.
///
/// With a two-sided 95 % interval each claim is tested one-sided at 2.5 %. Throws UsageError for a
/// margin that is not above 0 and finite.
AccuracyVerdict accuracy_verdict(const MetricDifference& difference, double margin,
                                 bool higher_is_better);

/// Whether the arm is worse than the baseline beyond doubt, and by less than the margin: a case of
/// `non_inferior` or `equivalent` that is worth saying.
bool worse_within_margin(const MetricDifference& difference, double margin, bool higher_is_better);

}  // namespace mpbench::stats

template <>
inline constexpr auto mpbench::enum_names<mpbench::stats::AccuracyVerdict> =
    std::to_array<mpbench::EnumName<mpbench::stats::AccuracyVerdict>>(
        {{mpbench::stats::AccuracyVerdict::non_inferior, "non-inferior"},
         {mpbench::stats::AccuracyVerdict::equivalent, "equivalent"},
         {mpbench::stats::AccuracyVerdict::inferior, "inferior"},
         {mpbench::stats::AccuracyVerdict::inconclusive, "inconclusive"}});

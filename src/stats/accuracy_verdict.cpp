#include "mpbench/stats/accuracy_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

bool is_enough_for_a_verdict(const MetricDifference& difference) {
  const int patients = difference.classes > 2
                           ? difference.patients
                           : std::min(difference.positive_patients, difference.negative_patients);
  return difference.seeds >= fewest_seeds && patients >= fewest_patients && difference.seed_sd > 0;
}

/// How much better the arm is, at least and at most.
struct Gain {
  double low;
  double high;
};

std::optional<Gain> gain_of(const MetricDifference& difference, double margin,
                            bool higher_is_better) {
  if (!(margin > 0 && std::isfinite(margin))) {
    throw UsageError(fmt::format("a margin is above 0, not {}", margin));
  }
  if (!difference.low || !difference.high || !is_enough_for_a_verdict(difference)) return {};
  return higher_is_better ? Gain{*difference.low, *difference.high}
                          : Gain{-*difference.high, -*difference.low};
}

}  // namespace

AccuracyVerdict accuracy_verdict(const MetricDifference& difference, double margin,
                                 bool higher_is_better) {
  const std::optional<Gain> gain = gain_of(difference, margin, higher_is_better);
  if (!gain) return AccuracyVerdict::inconclusive;
  if (gain->high < -margin) return AccuracyVerdict::inferior;
  if (gain->low <= -margin) return AccuracyVerdict::inconclusive;
  return gain->high < margin ? AccuracyVerdict::equivalent : AccuracyVerdict::non_inferior;
}

bool worse_within_margin(const MetricDifference& difference, double margin, bool higher_is_better) {
  const std::optional<Gain> gain = gain_of(difference, margin, higher_is_better);
  return gain && gain->high < 0 && gain->low > -margin;
}

}  // namespace mpbench::stats

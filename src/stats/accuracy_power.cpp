#include "mpbench/stats/accuracy_power.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

/// More than any set has; a margin that needs more counts as out of reach.
constexpr double most_positives = 1e6;
constexpr double most_patients = std::numeric_limits<int>::max();

void require_share(double value, const char* what) {
  if (!(value >= 0 && value <= 1)) {
    throw UsageError(fmt::format("{} is between 0 and 1, not {}", what, value));
  }
}

void require_plan(const AccuracyPlan& plan, double confidence, double power) {
  check_probability(confidence, "confidence");
  require_share(plan.assumed_auc, "an AUC");
  require_share(plan.score_correlation, "a correlation of scores");
  require_share(plan.shared, "a share of the seeds' scores");
  require_share(plan.seed_correlation, "a correlation of seeds");
  if (!(power > 0 && power < 1)) {
    throw UsageError(fmt::format("a power is between 0 and 1, not {}", power));
  }
  if (!(plan.seed_sd >= 0 && std::isfinite(plan.seed_sd))) {
    throw UsageError(
        fmt::format("a standard deviation over seeds is 0 or more, not {}", plan.seed_sd));
  }
}

/// Hanley and McNeil's variance of an AUC, from the two probabilities that two positives score
/// above one negative and one positive above two negatives, for exponential scores.
double auc_variance(double auc, double positives, double negatives) {
  const double two_positives = auc / (2 - auc);
  const double two_negatives = 2 * auc * auc / (1 + auc);
  return (auc * (1 - auc) + (positives - 1) * (two_positives - auc * auc) +
          (negatives - 1) * (two_negatives - auc * auc)) /
         (positives * negatives);
}

/// The plan's margin with other numbers of patients.
double provable_margin(const AccuracyPlan& plan, double positives, double negatives,
                       double confidence, double power) {
  const double patients = std::min(positives, negatives);
  if (plan.seeds < 2 || patients < 2) return std::numeric_limits<double>::infinity();
  const double n = plan.seeds;
  const double of_arms =
      2 * auc_variance(plan.assumed_auc, positives, negatives) * (1 - plan.score_correlation);
  const double of_training = 2 * plan.seed_sd * plan.seed_sd * (1 - plan.seed_correlation);
  // What compare_metric() has as S^2 / n and as C.
  const double of_seeds = (of_training + of_arms * (1 - plan.shared)) / n;
  const double of_cases = of_arms * plan.shared;
  const double variance = of_seeds + of_cases;
  if (variance == 0) return 0;
  const double seeds_share = of_seeds / variance;
  const double cases_share = of_cases / variance;
  const double satterthwaite =
      1 / (seeds_share * seeds_share / (n - 1) + cases_share * cases_share / (patients - 1));
  const double df = std::min({satterthwaite, 2 * (n - 1), patients - 1});
  return (t_upper_quantile((1 - confidence) / 2, df) + t_upper_quantile(1 - power, df)) *
         std::sqrt(variance);
}

}  // namespace

double smallest_provable_margin(const AccuracyPlan& plan, double confidence, double power) {
  require_plan(plan, confidence, power);
  return provable_margin(plan, plan.positives, plan.negatives, confidence, power);
}

double excluded_loss(const AccuracyPlan& plan, double margin, double confidence, double power) {
  return margin + smallest_provable_margin(plan, confidence, power);
}

std::optional<int> positives_needed(const AccuracyPlan& plan, double margin, double confidence,
                                    double power) {
  require_plan(plan, confidence, power);
  if (!(margin > 0)) throw UsageError(fmt::format("a margin is above 0, not {}", margin));
  if (plan.seeds < fewest_seeds || plan.positives < 1 || plan.negatives < 1) return std::nullopt;
  const double negatives_each = static_cast<double>(plan.negatives) / plan.positives;
  const auto is_enough = [&](double positives) {
    const double negatives = positives * negatives_each;
    return std::min(positives, negatives) >= fewest_patients &&
           provable_margin(plan, positives, negatives, confidence, power) <= margin;
  };
  double enough = fewest_patients;
  while (!is_enough(enough)) {
    enough *= 2;
    if (enough > most_positives) return std::nullopt;
  }
  double too_few = enough == fewest_patients ? fewest_patients - 1 : enough / 2;
  while (enough - too_few > 1) {
    const double middle = std::floor((too_few + enough) / 2);
    (is_enough(middle) ? enough : too_few) = middle;
  }
  return static_cast<int>(enough);
}

std::optional<AccuracyPlan> plan_for_margin(const AccuracyPlan& plan, double margin,
                                            double confidence, double power) {
  std::optional<AccuracyPlan> best;
  for (const int seeds : {plan.seeds, 3, 5, 10, 20, 50, 100}) {
    if (seeds < plan.seeds) continue;
    AccuracyPlan larger = plan;
    larger.seeds = seeds;
    const std::optional<int> positives = positives_needed(larger, margin, confidence, power);
    if (!positives) continue;
    const double negatives =
        std::ceil(*positives * (static_cast<double>(plan.negatives) / plan.positives));
    larger.positives = *positives;
    larger.negatives = static_cast<int>(std::min(negatives, most_patients));
    const auto size = [](const AccuracyPlan& of) {
      return static_cast<double>(of.seeds) * of.positives;
    };
    if (!best || size(larger) < size(*best)) best = larger;
  }
  return best;
}

}  // namespace mpbench::stats

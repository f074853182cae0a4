#include "mpbench/stats/metric_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "case_covariance.hpp"
#include "jackknife.hpp"
#include "metric_sums.hpp"
#include "mpbench/core/error.hpp"
#include "paired_samples.hpp"
#include "score_steps.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

enum class Arm { baseline, arm };

std::span<const double> scores_of(const PairedPredictions& seed, Arm which) {
  return which == Arm::baseline ? seed.baseline_score : seed.arm_score;
}

std::span<const double> probabilities_of(const PairedPredictions& seed, Arm which) {
  const auto& given = which == Arm::baseline ? seed.baseline_probability : seed.arm_probability;
  return given.empty() ? scores_of(seed, which) : std::span<const double>(given);
}

/// What a metric is computed from.
struct MetricNeeds {
  bool scores;  ///< by rank
  bool probabilities;
  bool both_classes;  ///< and each of two patients, for an interval
};

constexpr MetricNeeds needs_of(AccuracyMetric metric) {
  switch (metric) {
    case AccuracyMetric::auc:
    case AccuracyMetric::pr_auc:
    case AccuracyMetric::sensitivity_at_90_specificity:
      return {.scores = true, .probabilities = false, .both_classes = true};
    case AccuracyMetric::pf1:
      return {.scores = false, .probabilities = true, .both_classes = true};
    case AccuracyMetric::brier:
    case AccuracyMetric::ece:
      return {.scores = false, .probabilities = true, .both_classes = false};
    case AccuracyMetric::accuracy:
      break;
  }
  return {.scores = false, .probabilities = false, .both_classes = false};
}

/// False where one of the numbers is NaN. Throws Error for a probability outside [0, 1].
bool are_numbers(std::span<const PairedPredictions> seeds, const MetricNeeds& needs) {
  const auto is_nan = [](double value) { return std::isnan(value); };
  for (const PairedPredictions& seed : seeds) {
    for (const Arm which : {Arm::baseline, Arm::arm}) {
      if (needs.scores && std::ranges::any_of(scores_of(seed, which), is_nan)) return false;
      if (!needs.probabilities) continue;
      for (const double probability : probabilities_of(seed, which)) {
        if (std::isnan(probability)) return false;
        if (probability < 0 || probability > 1) {
          throw Error(fmt::format("a probability is between 0 and 1, not {}", probability));
        }
      }
    }
  }
  return true;
}

bool is_defined(std::span<const PairedPredictions> seeds, const MetricNeeds& needs,
                const PairedSamples& samples) {
  const bool two_classes_only = needs.scores || needs.probabilities;
  if (two_classes_only && samples.classes > 2) return false;
  if (needs.both_classes && samples.positive_patients == 0) return false;
  if (needs.scores && samples.negative_patients == 0) return false;
  return are_numbers(seeds, needs);
}

/// The metric of each seed and what it says on the choice of patients.
struct SeedMetrics {
  std::vector<double> baseline;
  std::vector<double> arm;
  std::vector<double> difference;
  std::optional<CaseCovariance> covariance;
};

LeaveOneOut leave_one_out_of(const PairedPredictions& seed, Arm which, AccuracyMetric metric,
                             const PairedSamples& samples) {
  if (metric == AccuracyMetric::pr_auc) {
    return leave_one_out_precision(score_steps(scores_of(seed, which), seed.label), seed.label,
                                   samples);
  }
  const auto probabilities = probabilities_of(seed, which);
  const auto& predicted = which == Arm::baseline ? seed.baseline_predicted : seed.arm_predicted;
  std::vector<JudgedSample> judged;
  for (std::size_t i = 0; i < seed.label.size(); ++i) {
    judged.push_back({probabilities[i], seed.label[i], predicted[i]});
  }
  return leave_one_out(metric, judged, samples);
}

PatientParts parts_of(const PairedPredictions& seed, Arm which, AccuracyMetric metric,
                      const PairedSamples& samples) {
  const ScoreSteps steps = score_steps(scores_of(seed, which), seed.label);
  return metric == AccuracyMetric::auc ? auc_parts(steps, seed.label, samples)
                                       : sensitivity_parts(steps, seed.label, samples);
}

/// `of(seed, arm)` has a `value`; `covariance` takes the differences of all seeds.
template <class Of, class Covariance>
SeedMetrics metrics_of_seeds(std::span<const PairedPredictions> seeds, bool with_covariance,
                             const Of& of, const Covariance& covariance) {
  SeedMetrics metrics;
  std::vector<decltype(of(seeds.front(), Arm::arm))> differences;
  for (const PairedPredictions& seed : seeds) {
    const auto baseline = of(seed, Arm::baseline);
    const auto arm = of(seed, Arm::arm);
    metrics.baseline.push_back(baseline.value);
    metrics.arm.push_back(arm.value);
    metrics.difference.push_back(arm.value - baseline.value);
    differences.push_back(difference(arm, baseline));
  }
  if (with_covariance) metrics.covariance = covariance(differences);
  return metrics;
}

SeedMetrics measure(std::span<const PairedPredictions> seeds, AccuracyMetric metric,
                    const PairedSamples& samples, bool with_covariance) {
  if (metric == AccuracyMetric::auc || metric == AccuracyMetric::sensitivity_at_90_specificity) {
    return metrics_of_seeds(
        seeds, with_covariance,
        [&](const auto& seed, Arm which) { return parts_of(seed, which, metric, samples); },
        [&](const auto& parts) {
          return clustered_covariance(parts, seeds.front().label, samples);
        });
  }
  return metrics_of_seeds(
      seeds, with_covariance,
      [&](const auto& seed, Arm which) { return leave_one_out_of(seed, which, metric, samples); },
      [](const auto& differences) { return jackknife_covariance(differences); });
}

/// 0 for one seed and for seeds that agree to the last bit: the mean of equal numbers may round to
/// another one.
double deviation_over_seeds(const std::vector<double>& differences) {
  const auto other =
      std::adjacent_find(differences.begin(), differences.end(), std::not_equal_to<>());
  return other == differences.end() ? 0 : standard_deviation(differences);
}

/// Variance of the mean over seeds.
struct MeanVariance {
  double variance;
  double degrees_of_freedom;
};

/// `patients` is the m of metric_comparison.hpp.
MeanVariance variance_of_mean(const CaseCovariance& covariance, double seed_sd, double patients) {
  const auto n = static_cast<double>(covariance.seeds());
  if (covariance.seeds() == 1) return {covariance.at(0, 0), patients - 1};
  const double of_seeds = seed_sd * seed_sd / n;
  const double of_cases = std::max(0.0, covariance.between_seeds());
  const double variance = of_seeds + of_cases;
  if (variance == 0) return {0, 0};
  // As shares of the variance: its square could underflow.
  const double seeds_share = of_seeds / variance;
  const double cases_share = of_cases / variance;
  const double satterthwaite =
      1 / (seeds_share * seeds_share / (n - 1) + cases_share * cases_share / (patients - 1));
  return {variance, std::min({satterthwaite, 2 * (n - 1), patients - 1})};
}

}  // namespace

std::optional<MetricDifference> compare_metric(std::span<const PairedPredictions> seeds,
                                               AccuracyMetric metric, double confidence) {
  check_probability(confidence, "confidence");
  const PairedSamples samples = paired_samples(seeds);
  const MetricNeeds needs = needs_of(metric);
  if (!is_defined(seeds, needs, samples)) return std::nullopt;

  const std::size_t patients = needs.both_classes
                                   ? std::min(samples.positive_patients, samples.negative_patients)
                                   : samples.patients;
  const SeedMetrics metrics = measure(seeds, metric, samples, patients >= 2);
  MetricDifference result{.baseline = mean(metrics.baseline),
                          .arm = mean(metrics.arm),
                          .delta = mean(metrics.difference),
                          .low = {},
                          .high = {},
                          .seeds = static_cast<int>(seeds.size()),
                          .patients = static_cast<int>(samples.patients),
                          .positive_patients = static_cast<int>(samples.positive_patients),
                          .negative_patients = static_cast<int>(samples.negative_patients),
                          .seed_sd = deviation_over_seeds(metrics.difference),
                          .classes = samples.classes};
  if (!metrics.covariance) return result;
  const MeanVariance of_mean =
      variance_of_mean(*metrics.covariance, result.seed_sd, static_cast<double>(patients));
  if (!(of_mean.variance > 0)) return result;
  result.standard_error = std::sqrt(of_mean.variance);
  result.degrees_of_freedom = of_mean.degrees_of_freedom;
  const double half_width =
      t_upper_quantile((1 - confidence) / 2, of_mean.degrees_of_freedom) * result.standard_error;
  result.low = result.delta - half_width;
  result.high = result.delta + half_width;
  return result;
}

}  // namespace mpbench::stats

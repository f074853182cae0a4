#pragma once

#include <optional>
#include <span>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::stats {

/// What is compared. metrics.hpp defines each. All but accuracy are of two classes.
enum class AccuracyMetric { auc, accuracy, pf1, pr_auc, sensitivity_at_90_specificity, brier, ece };

/// False for the Brier score and the calibration error.
constexpr bool higher_is_better(AccuracyMetric metric) {
  return metric != AccuracyMetric::brier && metric != AccuracyMetric::ece;
}

/// A metric of the arm less that of the baseline, with its interval.
struct MetricDifference {
  double baseline = 0;            ///< mean over seeds
  double arm = 0;                 ///< mean over seeds
  double delta = 0;               ///< arm - baseline
  double standard_error = 0;      ///< of delta; 0 where there is no interval
  double degrees_of_freedom = 0;  ///< of Student's t; 0 where there is no interval
  std::optional<double> low;
  std::optional<double> high;
  int seeds = 0;
  int patients = 0;
  int positive_patients = 0;  ///< with a sample of another class than 0
  int negative_patients = 0;  ///< with a sample of class 0; a patient may be among both
  double seed_sd = 0;         ///< S: standard deviation over seeds of the difference; 0 for one
  int classes = 2;            ///< 2 or more
};

/// The difference of a metric between two training procedures, each trained with the same seeds and
/// judged on the same samples: one element of `seeds` is one seed's two trainings. The variance of
/// the mean over seeds is that of Obuchowski and Rockette (Communications in Statistics 24, 1995)
/// with a seed as a reader,
///
///     V = S^2 / n + C
///
/// with S^2 the variance over seeds of the n differences and C >= 0 the mean covariance, over the
/// choice of patients, of two seeds' differences. The interval is delta +- t sqrt(V), with degrees
/// of freedom
///
///     min(V^2 / [(S^2/n)^2 / (n - 1) + C^2 / (m - 1)], 2 (n - 1), m - 1)
///
/// (Satterthwaite's, as Hillis, Statistics in Medicine 26, 2007, without his taking C for known;
/// docs/method.md gives the reasons for the two bounds). m is the number of patients, and for
/// metrics that need both classes the smaller of positive and negative patients. One seed:
/// V = C of that seed and m - 1 degrees of freedom, which is of these two models and says nothing
/// on training.
///
/// C is, by metric: DeLong, DeLong and Clarke-Pearson's covariance of AUCs (Biometrics 44, 1988)
/// clustered by patient (Obuchowski, Biometrics 53, 1997); for sensitivity the same form, with the
/// slope of the ROC curve between 5 and 15 % false positives as the effect of the threshold; else
/// the jackknife that leaves out one patient at a time.
///
/// Nothing where the metric is not defined: AUC, PR-AUC and sensitivity with one class only, pF1
/// without a positive, all but accuracy with more than two classes, and scores or probabilities
/// that are NaN. No interval where one patient alone has a class that the metric needs, and where V
/// is 0. Throws Error for no seeds, no samples, seeds whose samples differ, and probabilities
/// outside [0, 1] where the metric is of probabilities; UsageError for a confidence outside (0, 1).
std::optional<MetricDifference> compare_metric(std::span<const PairedPredictions> seeds,
                                               AccuracyMetric metric, double confidence = 0.95);

}  // namespace mpbench::stats

template <>
inline constexpr auto mpbench::enum_names<mpbench::stats::AccuracyMetric> =
    std::to_array<mpbench::EnumName<mpbench::stats::AccuracyMetric>>(
        {{mpbench::stats::AccuracyMetric::auc, "auc"},
         {mpbench::stats::AccuracyMetric::accuracy, "accuracy"},
         {mpbench::stats::AccuracyMetric::pf1, "pf1"},
         {mpbench::stats::AccuracyMetric::pr_auc, "pr_auc"},
         {mpbench::stats::AccuracyMetric::sensitivity_at_90_specificity,
          "sensitivity_at_90_specificity"},
         {mpbench::stats::AccuracyMetric::brier, "brier"},
         {mpbench::stats::AccuracyMetric::ece, "ece"}});

#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

/// The few statistics that a comparison rests on; docs/method.md gives formulas and sources.
namespace mpbench::stats {

/// The middle value, or the mean of the two in the middle. Throws Error for no values or one that
/// is not finite, as do all functions here.
double median(std::span<const double> values);

/// Median of the absolute deviations from the median, as it is: not scaled by 1.4826.
double median_absolute_deviation(std::span<const double> values);

/// Quantile q in [0, 1], linear between order statistics (Hyndman and Fan's type 7, numpy's
/// default).
double quantile(std::span<const double> values, double q);

double mean(std::span<const double> values);

/// Sample standard deviation (n - 1), two passes; needs two values.
double standard_deviation(std::span<const double> values);

/// An estimate with its confidence interval; no bounds where there is too little to say.
struct Estimate {
  double value = 0;
  std::optional<double> low;
  std::optional<double> high;
  bool has_interval() const { return low.has_value() && high.has_value(); }
};

/// Mean with Student's t interval: mean +- t(1 - (1 - confidence) / 2, n - 1) s / sqrt(n). One
/// value: no interval.
Estimate mean_interval(std::span<const double> values, double confidence = 0.95);

/// The same samples as judged by the two runs of one repeat. All vectors have one element a sample.
struct PairedPredictions {
  std::vector<std::string> group;  ///< resampled together: the patient
  std::vector<int> label;
  std::vector<double> baseline_score;
  std::vector<double> arm_score;
  std::vector<int> baseline_predicted;
  std::vector<int> arm_predicted;
  /// Probabilities of the positive class where the scores are something else, as log-odds; empty
  /// where the scores are the probabilities.
  std::vector<double> baseline_probability{};
  std::vector<double> arm_probability{};
};

}  // namespace mpbench::stats

#pragma once

#include <cstdint>
#include <functional>
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

/// Geometric mean of numerator[i] / denominator[i] with the t interval of the log-ratios, taken
/// back by exp. Both have one positive value a pair; one pair: no interval.
Estimate ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                        double confidence = 0.95);

/// How much two runs of the same thing differ here: exp(sqrt(2) s) - 1, with s the standard
/// deviation of the log of the baseline's repeats. Dimensionless: 0.02 is 2 %. Empty with fewer
/// than two repeats.
std::optional<double> noise_floor(std::span<const double> baseline);

/// Scores, labels and predicted classes of some samples to one number. NaN where it is not defined
/// (one class only).
using Metric = std::function<double(std::span<const double> scores, std::span<const int> labels,
                                    std::span<const int> predicted)>;

/// The same samples as judged by the two runs of one repeat. All vectors have one element a sample.
struct PairedPredictions {
  std::vector<std::string> group;  ///< resampled together: the patient
  std::vector<int> label;
  std::vector<double> baseline_score;
  std::vector<double> arm_score;
  std::vector<int> baseline_predicted;
  std::vector<int> arm_predicted;
};

struct BootstrapOptions {
  int resamples = 2000;
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

struct BootstrapResult {
  Estimate delta;     ///< metric(arm) - metric(baseline), mean over repeats
  int groups = 0;     ///< distinct groups resampled
  int undefined = 0;  ///< resamples without a value, left out of the interval
};

/// Percentile bootstrap of the metric's paired difference. Groups are drawn with replacement, the
/// same draw for both arms; with two repeats or more the repeats are drawn as well (Owen's
/// pigeonhole bootstrap), so that the interval covers the choice of patients and of training runs.
/// No interval when there is one group, or when fewer than half of the resamples have a value. The
/// same seed gives the same result on every platform.
BootstrapResult bootstrap_delta(std::span<const PairedPredictions> repeats, const Metric& metric,
                                const BootstrapOptions& options = {});

}  // namespace mpbench::stats

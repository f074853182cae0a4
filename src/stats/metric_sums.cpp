#include "metric_sums.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

double pf1_of_sums(double true_positive, double false_positive, double positives) {
  const double predicted = true_positive + false_positive;
  const double precision = predicted > 0 ? true_positive / predicted : 0;
  const double recall = positives > 0 ? true_positive / positives : 0;
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

std::size_t bin_of(double probability) {
  const auto bin = static_cast<std::size_t>(probability * static_cast<double>(calibration_bins));
  return std::min(bin, calibration_bins - 1);
}

}  // namespace

void add_sample(AccuracyMetric metric, MetricSums& sums, const JudgedSample& sample) {
  const double truth = sample.label != 0 ? 1 : 0;
  const double error = sample.probability - truth;
  switch (metric) {
    case AccuracyMetric::accuracy:
      sums[0] += sample.predicted == sample.label ? 1 : 0;
      sums[1] += 1;
      return;
    case AccuracyMetric::pf1:
      sums[sample.label != 0 ? 0 : 1] += sample.probability;
      sums[2] += truth;
      return;
    case AccuracyMetric::brier:
      sums[0] += error * error;
      sums[1] += 1;
      return;
    case AccuracyMetric::ece:
      sums[bin_of(sample.probability)] += error;
      sums[calibration_bins] += 1;
      return;
    case AccuracyMetric::auc:
    case AccuracyMetric::pr_auc:
    case AccuracyMetric::sensitivity_at_90_specificity:
      break;
  }
  throw Error("a metric of ranks does not follow from sums");
}

double value_of_sums(AccuracyMetric metric, const MetricSums& sums) {
  if (metric == AccuracyMetric::pf1) return pf1_of_sums(sums[0], sums[1], sums[2]);
  if (metric != AccuracyMetric::ece) return sums[0] / sums[1];
  double sum = 0;
  for (std::size_t bin = 0; bin < calibration_bins; ++bin) sum += std::abs(sums[bin]);
  return sum / sums[calibration_bins];
}

}  // namespace mpbench::stats

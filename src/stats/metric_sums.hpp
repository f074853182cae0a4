#pragma once

#include <array>
#include <cstddef>

#include "mpbench/stats/metric_comparison.hpp"

namespace mpbench::stats {

/// Bins of the calibration error: of equal width, the first from 0, the last with 1.
constexpr std::size_t calibration_bins = 15;

/// Sums over samples from which a metric follows, so that one patient's samples can be taken out.
/// - accuracy: right ones, all;
/// - pF1: probabilities of the positives, of the negatives, number of positives;
/// - Brier score: squared errors, all;
/// - calibration error: probability less label in each bin, all.
using MetricSums = std::array<double, calibration_bins + 1>;

/// One sample as judged by one model.
struct JudgedSample {
  double probability = 0;  ///< of the positive class; unused by accuracy
  int label = 0;
  int predicted = 0;  ///< used by accuracy alone
};

/// `metric` is one of those above. A probability is in [0, 1].
void add_sample(AccuracyMetric metric, MetricSums& sums, const JudgedSample& sample);

/// There is a sample; 0 for pF1 without a positive or where all probabilities are 0.
double value_of_sums(AccuracyMetric metric, const MetricSums& sums);

}  // namespace mpbench::stats

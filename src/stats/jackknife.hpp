#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "case_covariance.hpp"
#include "metric_sums.hpp"
#include "paired_samples.hpp"
#include "score_steps.hpp"

namespace mpbench::stats {

/// A metric of all samples, and of those that are left without each patient in turn.
struct LeaveOneOut {
  double value = 0;
  std::vector<double> without;  ///< one element a patient
};

/// One element of `judged` a sample. A metric that metric_sums.hpp has; the samples of two patients
/// at least, of two positive ones for pF1.
LeaveOneOut leave_one_out(AccuracyMetric metric, std::span<const JudgedSample> judged,
                          const PairedSamples& samples);

/// Average precision; at least two patients are positive. Takes patients times steps with a
/// positive.
LeaveOneOut leave_one_out_precision(const ScoreSteps& steps, std::span<const int> labels,
                                    const PairedSamples& samples);

/// a - b, of the same samples.
LeaveOneOut difference(const LeaveOneOut& a, const LeaveOneOut& b);

/// One element of `differences` a seed: (G - 1)/G times the sum over the G patients of the product
/// of two seeds' deviations from their means, which is the covariance of the pseudo-values over G.
CaseCovariance jackknife_covariance(std::span<const LeaveOneOut> differences);

}  // namespace mpbench::stats

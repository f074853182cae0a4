#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "paired_samples.hpp"
#include "score_steps.hpp"

/// How two seeds' metrics vary together with the choice of patients.
namespace mpbench::stats {

/// Square, by seed and seed.
class CaseCovariance {
 public:
  explicit CaseCovariance(std::size_t seeds) : seeds_(seeds), values_(seeds * seeds) {}
  double& at(std::size_t a, std::size_t b) { return values_[a * seeds_ + b]; }
  double at(std::size_t a, std::size_t b) const { return values_[a * seeds_ + b]; }
  std::size_t seeds() const { return seeds_; }
  /// Mean over pairs of different seeds; there are two seeds.
  double between_seeds() const;

 private:
  std::size_t seeds_;
  std::vector<double> values_;
};

/// A statistic of two samples, and by how much each patient's samples move it: the sums, over the
/// patient's positives and over the negatives, of what each adds above the mean. Both vectors have
/// one element a patient, 0 where there is no such sample, and sum to 0.
struct PatientParts {
  double value = 0;
  std::vector<double> positive;
  std::vector<double> negative;
};

/// AUC with the placements of its samples: of a positive the share of the negatives below it, of a
/// negative the share of the positives above it, ties as half (DeLong, DeLong and Clarke-Pearson,
/// Biometrics 44, 1988).
PatientParts auc_parts(const ScoreSteps& steps, std::span<const int> labels,
                       const PairedSamples& samples);

/// The largest sensitivity at 90 % specificity or more. A positive adds whether it is above the
/// threshold; a negative above it raises the threshold, which costs the slope of the ROC curve
/// there: that between the last threshold with at most 5 % false positives and the first with 15 %
/// or more. Leaving out one patient instead would move the threshold past none or one of few
/// positives: the jackknife of a quantile is not consistent (Miller, Biometrika 61, 1974).
PatientParts sensitivity_parts(const ScoreSteps& steps, std::span<const int> labels,
                               const PairedSamples& samples);

/// a - b, of the same samples.
PatientParts difference(const PatientParts& a, const PatientParts& b);

/// One element of `parts` a seed. Obuchowski's covariance for clustered data (Biometrics 53, 1997),
/// in which one patient has positives and negatives; with one sample a patient it is DeLong's.
/// There are at least two positive and two negative patients.
CaseCovariance clustered_covariance(std::span<const PatientParts> parts,
                                    std::span<const int> labels, const PairedSamples& samples);

}  // namespace mpbench::stats

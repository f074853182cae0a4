#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mpbench::stats {

/// Samples of two classes in the order of their scores, the highest first. Those of one score are
/// one step of the ROC curve, which a threshold takes or leaves as a whole.
struct ScoreSteps {
  std::vector<std::size_t> of_sample;  ///< the step of each sample
  /// Positives and negatives with the score of a step or a higher one, by step.
  std::vector<double> true_positives;
  std::vector<double> false_positives;

  std::size_t steps() const { return true_positives.size(); }
  double positives() const { return true_positives.empty() ? 0 : true_positives.back(); }
  double negatives() const { return false_positives.empty() ? 0 : false_positives.back(); }
  /// Of this step alone.
  double positives_at(std::size_t step) const {
    return true_positives[step] - (step > 0 ? true_positives[step - 1] : 0);
  }
  double negatives_at(std::size_t step) const {
    return false_positives[step] - (step > 0 ? false_positives[step - 1] : 0);
  }
};

/// A label other than 0 is positive. The scores are no NaN, and as many as the labels.
ScoreSteps score_steps(std::span<const double> scores, std::span<const int> labels);

/// How many steps, from the highest score, are called positive for the largest sensitivity at this
/// specificity or a higher one. The specificity of a threshold is compared as the quotient that it
/// is, so that 9 of 10 negatives are 0.9.
std::size_t steps_at_specificity(const ScoreSteps& steps, double specificity);

/// Sum over thresholds of the gain in recall times the precision; there is a positive.
double average_precision(const ScoreSteps& steps);

}  // namespace mpbench::stats

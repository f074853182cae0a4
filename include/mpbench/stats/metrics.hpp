#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mpbench::stats {

/// Share of predictions equal to the label; NaN when there are none.
double accuracy(std::span<const int> predicted, std::span<const int> labels);

/// How often each class was taken for each.
struct ConfusionMatrix {
  int classes = 0;
  std::vector<std::int64_t> counts;  ///< [classes, classes], rows the true class

  std::int64_t at(int label, int predicted) const {
    return counts[static_cast<std::size_t>(label) * static_cast<std::size_t>(classes) +
                  static_cast<std::size_t>(predicted)];
  }
};

/// Throws Error for a label or a prediction outside [0, classes).
ConfusionMatrix confusion_matrix(std::span<const int> predicted, std::span<const int> labels,
                                 int classes);

/// Area under the ROC curve: the probability that a positive scores above a negative, ties counting
/// half (Mann-Whitney U / (positives * negatives)). NaN when a class is missing or a score is NaN.
double auc(std::span<const double> scores, std::span<const int> labels);

/// RSNA's probabilistic F1 with beta = 1: probabilities clipped to [0, 1]; cTP and cFP are their
/// sums over positives and negatives; precision cTP/(cTP+cFP), recall cTP/positives; 0 where a
/// denominator is 0. NaN for a NaN score.
double probabilistic_f1(std::span<const double> scores, std::span<const int> labels);

/// Average precision, the area under the precision-recall curve as steps: the sum over thresholds
/// of the gain in recall times the precision, with the samples of one score taken together
/// (scikit-learn's average_precision_score). Nothing when a class is missing or a score is NaN.
std::optional<double> average_precision(std::span<const double> scores,
                                        std::span<const int> labels);

/// The largest sensitivity among the thresholds whose specificity is at least this, that of no
/// sample called positive included. Nothing when a class is missing or a score is NaN; throws Error
/// for a specificity outside [0, 1].
std::optional<double> sensitivity_at_specificity(std::span<const double> scores,
                                                 std::span<const int> labels, double specificity);

/// Mean squared difference of probability and label (Brier, Monthly Weather Review 78, 1950), of
/// two classes: 0 to 1, less is better. Nothing without samples or for a NaN; throws Error for a
/// probability outside [0, 1].
std::optional<double> brier_score(std::span<const double> probabilities,
                                  std::span<const int> labels);

/// Expected calibration error of the positive class's probability: 15 bins of equal width over
/// [0, 1], each with its lower end and the last with 1 too; the mean over samples of the distance
/// of their bin's mean probability from its share of positives (Naeini, Cooper and Hauskrecht, AAAI
/// 2015). Nothing without samples or for a NaN; throws Error for a probability outside [0, 1].
std::optional<double> expected_calibration_error(std::span<const double> probabilities,
                                                 std::span<const int> labels);

/// Where to cut probabilities into yes and no.
struct BestThreshold {
  double threshold = 0;  ///< a score is positive from here up
  double f1 = 0;         ///< F1 at that threshold, which is also pF1 of the scores so cut
};

/// The one of the scores that as a threshold gives the highest F1, the lowest of them if several
/// do. Chosen on the labels it is judged by, so it flatters: most with few positives. Without a
/// positive every F1 is 0 and the threshold NaN; with a NaN score both are NaN.
BestThreshold best_f1_threshold(std::span<const double> scores, std::span<const int> labels);

}  // namespace mpbench::stats

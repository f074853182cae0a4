#pragma once

#include <span>

namespace mpbench::train {

/// Share of predictions equal to the label; NaN when there are none.
double accuracy(std::span<const int> predicted, std::span<const int> labels);

/// Area under the ROC curve: the probability that a positive scores above a negative, ties counting
/// half (Mann-Whitney U / (positives * negatives)). NaN when a class is missing or a score is NaN.
double auc(std::span<const double> scores, std::span<const int> labels);

/// RSNA's probabilistic F1 with beta = 1: probabilities clipped to [0, 1]; cTP and cFP are their
/// sums over positives and negatives; precision cTP/(cTP+cFP), recall cTP/positives; 0 where a
/// denominator is 0. NaN for a NaN score.
double probabilistic_f1(std::span<const double> scores, std::span<const int> labels);

}  // namespace mpbench::train

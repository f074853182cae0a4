#pragma once

#include <optional>
#include <span>

#include "mpbench/stats/statistics.hpp"

namespace mpbench::stats {

/// Mean of the differences between two training procedures over k splits of the data, with the
/// corrected resampled t interval of Nadeau and Bengio (Machine Learning 52, 2003):
///
///     mean +- t(1 - (1 - confidence) / 2, k - 1) s sqrt(1/k + test_train_ratio)
///
/// with s the standard deviation over the folds. The second term under the root is there because
/// training sets overlap. `test_train_ratio` is the number of validation patients over that of
/// training patients: 1/(k - 1) in k-fold cross-validation. Nothing with fewer than two folds or
/// where all differences are equal, as an interval of no width would claim certainty. Throws Error
/// for a difference that is not finite and UsageError for a ratio or a confidence that is out of
/// range.
std::optional<Estimate> fold_interval(std::span<const double> fold_differences,
                                      double test_train_ratio, double confidence = 0.95);

}  // namespace mpbench::stats

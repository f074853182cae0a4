#pragma once

#include <optional>
#include <span>

namespace mpbench::stats {

/// How far apart the means of two samples are that were drawn independently of one another and may
/// vary by different amounts, with Welch's t interval (Biometrika 34, 1947):
///
///     difference +- t(1 - level / 2, degrees) standard_error
///     standard_error^2 = s_e^2 / n_e + s_l^2 / n_l
///     degrees = standard_error^4 / [(s_e^2 / n_e)^2 / (n_e - 1) + (s_l^2 / n_l)^2 / (n_l - 1)]
///
/// with s the standard deviation (n - 1) of the n values of the earlier and of the later sample.
/// The degrees of freedom are Satterthwaite's (Biometrics Bulletin 2, 1946).
struct MeanDifference {
  double difference = 0;  ///< mean of the later sample less that of the earlier one
  double standard_error = 0;
  double degrees = 0;
  double level = 0;  ///< of the test, two-sided; the interval's confidence is 1 - level
  double low = 0;
  double high = 0;
  double p_value = 0;  ///< two-sided, of the hypothesis that the true means are the same
};

/// Empty where a sample has fewer than two values. When neither sample varies the interval is the
/// difference, and its p-value is 1 where that is 0 and 0 elsewhere. Throws Error for a value that
/// is not finite, and UsageError for a level that is not between 0 and 1.
std::optional<MeanDifference> mean_difference(std::span<const double> earlier,
                                              std::span<const double> later, double level);

}  // namespace mpbench::stats

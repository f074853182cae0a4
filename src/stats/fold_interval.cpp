#include "mpbench/stats/fold_interval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpbench/core/error.hpp"
#include "student_t.hpp"

namespace mpbench::stats {

std::optional<Estimate> fold_interval(std::span<const double> fold_differences,
                                      double test_train_ratio, double confidence) {
  check_probability(confidence, "confidence");
  if (!(test_train_ratio > 0 && std::isfinite(test_train_ratio))) {
    throw UsageError(
        fmt::format("test over training patients is a ratio above 0, not {}", test_train_ratio));
  }
  if (fold_differences.size() < 2) return std::nullopt;
  const double deviation = standard_deviation(fold_differences);
  // Compared one by one: the mean of equal numbers may round to another one.
  if (std::adjacent_find(fold_differences.begin(), fold_differences.end(), std::not_equal_to<>()) ==
      fold_differences.end()) {
    return std::nullopt;
  }
  const auto folds = static_cast<double>(fold_differences.size());
  const double half_width = t_upper_quantile((1 - confidence) / 2, folds - 1) * deviation *
                            std::sqrt(1 / folds + test_train_ratio);
  const double centre = mean(fold_differences);
  return Estimate{.value = centre, .low = centre - half_width, .high = centre + half_width};
}

}  // namespace mpbench::stats

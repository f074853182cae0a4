#include "mpbench/stats/mean_difference.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpbench/stats/statistics.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

struct SampleMean {
  double mean = 0;
  double variance = 0;  ///< of that mean
  double size = 0;
};

/// Of two values or more.
SampleMean sample_mean(std::span<const double> values) {
  SampleMean sample{.size = static_cast<double>(values.size())};
  // Compared one by one: the mean of equal numbers may round to another one.
  if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end()) {
    sample.mean = mean(values.first(1));
    return sample;
  }
  const double deviation = standard_deviation(values);
  sample.mean = mean(values);
  sample.variance = deviation * deviation / sample.size;
  return sample;
}

/// Satterthwaite's degrees of freedom, by the share that the first sample has in the variance.
double degrees_of(const SampleMean& first, const SampleMean& second) {
  const double variance = first.variance + second.variance;
  if (variance == 0) return first.size + second.size - 2;
  const double share = first.variance / variance;
  return 1 / (share * share / (first.size - 1) + (1 - share) * (1 - share) / (second.size - 1));
}

}  // namespace

std::optional<MeanDifference> mean_difference(std::span<const double> earlier,
                                              std::span<const double> later, double level) {
  check_probability(level, "level");
  if (earlier.size() < 2 || later.size() < 2) return std::nullopt;
  const SampleMean before = sample_mean(earlier);
  const SampleMean after = sample_mean(later);
  MeanDifference result{.difference = after.mean - before.mean,
                        .standard_error = std::sqrt(before.variance + after.variance),
                        .degrees = degrees_of(before, after),
                        .level = level};
  const double half_width = t_upper_quantile(level / 2, result.degrees) * result.standard_error;
  result.low = result.difference - half_width;
  result.high = result.difference + half_width;
  result.p_value = result.difference == 0 ? 1
                   : result.standard_error == 0
                       ? 0
                       : t_two_sided(result.difference / result.standard_error, result.degrees);
  return result;
}

}  // namespace mpbench::stats

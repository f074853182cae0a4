#include "mpbench/stats/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mpbench/core/error.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

std::vector<double> sorted(std::span<const double> values) {
  if (values.empty()) throw Error("a statistic of no values");
  for (const double value : values) {
    if (!std::isfinite(value)) throw Error(fmt::format("a statistic of values with {}", value));
  }
  std::vector<double> ordered(values.begin(), values.end());
  std::sort(ordered.begin(), ordered.end());
  return ordered;
}

double quantile_of_sorted(const std::vector<double>& ordered, double q) {
  const double place = q * static_cast<double>(ordered.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ordered.size() - 1);
  return std::lerp(ordered[below], ordered[above], place - static_cast<double>(below));
}

}  // namespace

double median(std::span<const double> values) { return quantile_of_sorted(sorted(values), 0.5); }

double median_absolute_deviation(std::span<const double> values) {
  const double middle = median(values);
  std::vector<double> deviations;
  for (const double value : values) deviations.push_back(std::abs(value - middle));
  return median(deviations);
}

double quantile(std::span<const double> values, double q) {
  if (!(q >= 0 && q <= 1)) throw Error(fmt::format("a quantile is between 0 and 1, not {}", q));
  return quantile_of_sorted(sorted(values), q);
}

double mean(std::span<const double> values) {
  const std::vector<double> ordered = sorted(values);
  return std::accumulate(ordered.begin(), ordered.end(), 0.0) / static_cast<double>(ordered.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) throw Error("a standard deviation needs two values");
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

Estimate mean_interval(std::span<const double> values, double confidence) {
  check_probability(confidence, "confidence");
  Estimate estimate{.value = mean(values), .low = {}, .high = {}};
  if (values.size() < 2) return estimate;
  const auto n = static_cast<double>(values.size());
  const double t = t_upper_quantile((1 - confidence) / 2, n - 1);
  const double half_width = t * standard_deviation(values) / std::sqrt(n);
  estimate.low = estimate.value - half_width;
  estimate.high = estimate.value + half_width;
  return estimate;
}

}  // namespace mpbench::stats

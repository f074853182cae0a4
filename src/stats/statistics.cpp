#include "mpbench/stats/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "mpbench/core/error.hpp"

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

void check_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw UsageError(fmt::format("a confidence is between 0 and 1, not {}", confidence));
  }
}

std::vector<double> logarithms(std::span<const double> values) {
  std::vector<double> logs;
  for (const double value : values) {
    if (!(value > 0)) throw Error(fmt::format("the logarithm of {}", value));
    logs.push_back(std::log(value));
  }
  return logs;
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
  check_confidence(confidence);
  Estimate estimate{.value = mean(values), .low = {}, .high = {}};
  if (values.size() < 2) return estimate;
  const auto n = static_cast<double>(values.size());
  const boost::math::students_t distribution(n - 1);
  const double t =
      boost::math::quantile(boost::math::complement(distribution, (1 - confidence) / 2));
  const double half_width = t * standard_deviation(values) / std::sqrt(n);
  estimate.low = estimate.value - half_width;
  estimate.high = estimate.value + half_width;
  return estimate;
}

Estimate ratio_interval(std::span<const double> numerator, std::span<const double> denominator,
                        double confidence) {
  if (numerator.size() != denominator.size()) {
    throw Error(
        fmt::format("{} values cannot be paired with {}", numerator.size(), denominator.size()));
  }
  std::vector<double> log_ratios = logarithms(numerator);
  const std::vector<double> log_denominators = logarithms(denominator);
  for (std::size_t i = 0; i < log_ratios.size(); ++i) log_ratios[i] -= log_denominators[i];
  Estimate estimate = mean_interval(log_ratios, confidence);
  estimate.value = std::exp(estimate.value);
  if (estimate.low) estimate.low = std::exp(*estimate.low);
  if (estimate.high) estimate.high = std::exp(*estimate.high);
  return estimate;
}

std::optional<double> noise_floor(std::span<const double> baseline) {
  if (baseline.size() < 2) return std::nullopt;
  return std::expm1(std::sqrt(2.0) * standard_deviation(logarithms(baseline)));
}

}  // namespace mpbench::stats

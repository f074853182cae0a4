#include "mpbench/stats/session_statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/fisher_f.hpp>
#include <cmath>
#include <numeric>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/statistics.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

constexpr double null_level = 0.01;
constexpr double noisier_level = 0.05;

/// Variance of (l_B + l_B') / 2 - l_a over that of l_B - l_B': (1/4 + 1/4 + 1) / 2.
constexpr double contrast_variance_ratio = 0.75;

bool all_same(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

/// As standard_deviation(), and exactly 0 where no value differs: a rounded mean would leave 1e-18.
double spread(std::span<const double> values) {
  return all_same(values) ? 0 : standard_deviation(values);
}

double mean_square(std::span<const double> values) {
  std::vector<double> squares;
  for (const double value : values) squares.push_back(value * value);
  return mean(squares);
}

}  // namespace

double hodges_lehmann(std::span<const double> values) {
  std::vector<double> means;
  means.reserve(values.size() * (values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) means.push_back(std::midpoint(values[i], values[j]));
  }
  return median(means);
}

std::optional<SessionInterval> session_interval(std::span<const double> sessions, double level) {
  check_probability(level, "level");
  if (sessions.size() < 2) return std::nullopt;
  SessionInterval interval{.mean = mean(sessions),
                           .sd = spread(sessions),
                           .sessions = static_cast<int>(sessions.size()),
                           .level = level};
  if (interval.sd == 0) interval.mean = sessions.front();
  return interval_after(interval, interval.sessions);
}

SessionInterval interval_after(const SessionInterval& now, int sessions) {
  if (sessions < 2) throw Error("an interval over sessions needs two of them");
  SessionInterval interval = now;
  interval.sessions = sessions;
  const double error = interval.sd / std::sqrt(sessions);
  const double half_width = t_upper_quantile(interval.level / 2, sessions - 1) * error;
  interval.low = interval.mean - half_width;
  interval.high = interval.mean + half_width;
  interval.p_value = interval.mean == 0 ? 1
                     : error == 0       ? 0
                                        : t_two_sided(interval.mean / error, sessions - 1);
  return interval;
}

double process_sd(std::span<const double> null_sessions) {
  if (null_sessions.size() < 2) {
    throw Error("the spread between processes needs two sessions of the null arm");
  }
  return spread(null_sessions) / std::sqrt(2.0);
}

bool null_arm_differs(std::span<const double> null_sessions) {
  const auto interval = session_interval(null_sessions, null_level);
  return interval && (interval->low > 0 || interval->high < 0);
}

bool noisier_than_null(std::span<const double> sessions, std::span<const double> null_sessions) {
  if (sessions.size() < 2 || null_sessions.empty()) return false;
  const double arm = std::pow(spread(sessions), 2);
  const double expected = contrast_variance_ratio * mean_square(null_sessions);
  const boost::math::fisher_f distribution(static_cast<double>(sessions.size() - 1),
                                           static_cast<double>(null_sessions.size()));
  return arm >
         expected * boost::math::quantile(boost::math::complement(distribution, noisier_level));
}

}  // namespace mpbench::stats

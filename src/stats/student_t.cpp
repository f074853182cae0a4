#include "student_t.hpp"

#include <fmt/format.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {

void check_probability(double value, std::string_view name) {
  if (!(value > 0 && value < 1)) {
    throw UsageError(fmt::format("a {} is between 0 and 1, not {}", name, value));
  }
}

double t_upper_quantile(double probability, double degrees) {
  const boost::math::students_t distribution(degrees);
  return boost::math::quantile(boost::math::complement(distribution, probability));
}

double t_two_sided(double t, double degrees) {
  if (std::isinf(t)) return 0;
  const boost::math::students_t distribution(degrees);
  return 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
}

}  // namespace mpbench::stats

#include "mpbench/stats/mcnemar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {

double mcnemar_exact(std::int64_t only_baseline_right, std::int64_t only_arm_right) {
  if (only_baseline_right < 0 || only_arm_right < 0) {
    throw Error(
        fmt::format("McNemar's test of {} and {} samples", only_baseline_right, only_arm_right));
  }
  if (only_baseline_right == only_arm_right) return 1;  // twice the lower tail is above 1
  const double fewer = static_cast<double>(std::min(only_baseline_right, only_arm_right));
  const double all = static_cast<double>(only_baseline_right) + static_cast<double>(only_arm_right);
  const boost::math::binomial distribution(all, 0.5);
  return std::min(1.0, 2 * boost::math::cdf(distribution, fewer));
}

}  // namespace mpbench::stats

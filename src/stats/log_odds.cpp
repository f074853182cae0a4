#include "log_odds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mpbench::stats {

double log_sigmoid(double logit) {
  return std::min(logit, 0.0) - std::log1p(std::exp(-std::abs(logit)));
}

double log_odds(double probability) {
  if (std::isnan(probability)) return probability;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (probability <= 0) return -infinity;
  if (probability >= 1) return infinity;
  return std::log(probability) - std::log1p(-probability);
}

}  // namespace mpbench::stats

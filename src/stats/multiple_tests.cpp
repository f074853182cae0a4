// Levels for several tests: of one hypothesis at several looks, and of several hypotheses.
#include <fmt/format.h>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <numeric>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/session_statistics.hpp"
#include "student_t.hpp"

namespace mpbench::stats {
namespace {

constexpr int most_looks = 10;
constexpr double root_two = boost::math::constants::root_two<double>();
constexpr double one_over_root_two_pi = boost::math::constants::one_div_root_two_pi<double>();

double normal_density(double x) { return one_over_root_two_pi * std::exp(-x * x / 2); }

/// The probability that a normal variable about `mean` leaves (-bound, bound).
double probability_outside(double mean, double bound) {
  return (std::erfc((bound - mean) / root_two) + std::erfc((bound + mean) / root_two)) / 2;
}

struct Node {
  double at;
  double weight;
};

/// Gauss-Legendre nodes for (-bound, bound), in pieces of at most 3: a normal density of standard
/// deviation 1 is integrated to about 1e-13 then.
std::vector<Node> quadrature_nodes(double bound) {
  using Rule = boost::math::quadrature::gauss<double, 15>;
  const int pieces = static_cast<int>(std::ceil(2 * bound / 3));
  const double half = bound / pieces;
  std::vector<Node> nodes;
  for (int piece = 0; piece < pieces; ++piece) {
    const double centre = -bound + (2 * piece + 1) * half;
    // The rule has the nodes from 0 up; 0 itself, the first of an odd number, is there once.
    for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
      const double offset = half * Rule::abscissa()[i];
      const double weight = half * Rule::weights()[i];
      nodes.push_back({centre + offset, weight});
      if (offset > 0) nodes.push_back({centre - offset, weight});
    }
  }
  return nodes;
}

/// The probability that a sum of k independent standard normal variables is outside +- critical
/// sqrt(k) for one or more of k = 1 to `looks` (Armitage, McPherson and Rowe 1969): the density of
/// the sums that have stayed inside is carried from look to look.
double crossing_probability(double critical, int looks) {
  double crossed = std::erfc(critical / root_two);
  std::vector<Node> inside = quadrature_nodes(critical);
  std::vector<double> density;
  for (const Node& node : inside) density.push_back(normal_density(node.at));
  for (int look = 2; look <= looks; ++look) {
    const double bound = critical * std::sqrt(look);
    for (std::size_t i = 0; i < inside.size(); ++i) {
      crossed += inside[i].weight * density[i] * probability_outside(inside[i].at, bound);
    }
    const std::vector<Node> next = quadrature_nodes(bound);
    std::vector<double> next_density;
    for (const Node& node : next) {
      double sum = 0;
      for (std::size_t i = 0; i < inside.size(); ++i) {
        sum += inside[i].weight * density[i] * normal_density(node.at - inside[i].at);
      }
      next_density.push_back(sum);
    }
    inside = next;
    density = std::move(next_density);
  }
  return crossed;
}

void check_p_values(std::span<const double> p_values) {
  for (const double p : p_values) {
    if (!(p >= 0 && p <= 1)) throw Error(fmt::format("a p-value is 0 to 1, not {}", p));
  }
}

}  // namespace

double pocock_level(double alpha, int looks) {
  check_probability(alpha, "level");
  if (looks < 1 || looks > most_looks) {
    throw UsageError(fmt::format("a level is for 1 to {} looks, not {}", most_looks, looks));
  }
  if (looks == 1) return alpha;
  const auto excess = [&](double level) {
    return crossing_probability(root_two * boost::math::erfc_inv(level), looks) - alpha;
  };
  // Between Bonferroni's level and that of a single test.
  std::uintmax_t iterations = 100;
  const auto [low, high] = boost::math::tools::toms748_solve(
      excess, alpha / looks, alpha, boost::math::tools::eps_tolerance<double>(40), iterations);
  return std::midpoint(low, high);
}

std::vector<double> holm_levels(std::span<const double> p_values, double level) {
  check_probability(level, "level");
  check_p_values(p_values);
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> levels(p_values.size());
  std::size_t rejected = 0;
  for (const std::size_t i : order) {
    levels[i] = level / static_cast<double>(p_values.size() - rejected);
    if (p_values[i] <= levels[i] && rejected + 1 < p_values.size()) ++rejected;
  }
  return levels;
}

}  // namespace mpbench::stats

#include "mpbench/train/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::train {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

void require_equal_sizes(std::size_t a, std::size_t b) {
  if (a != b) throw Error("a metric needs as many predictions as labels");
}

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

}  // namespace

double accuracy(std::span<const int> predicted, std::span<const int> labels) {
  require_equal_sizes(predicted.size(), labels.size());
  if (labels.empty()) return not_a_number;
  const auto right = std::inner_product(predicted.begin(), predicted.end(), labels.begin(),
                                        std::size_t{0}, std::plus<>(), std::equal_to<>());
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double auc(std::span<const double> scores, std::span<const int> labels) {
  require_equal_sizes(scores.size(), labels.size());
  if (has_nan(scores)) return not_a_number;
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0;
  double positives = 0;
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && scores[order[last]] == scores[order[first]]) ++last;
    // Ranks first+1 ... last are tied: each gets their mean.
    const double rank = (static_cast<double>(first + 1) + static_cast<double>(last)) / 2;
    for (std::size_t i = first; i < last; ++i) {
      if (labels[order[i]] != 0) {
        rank_sum += rank;
        positives += 1;
      }
    }
    first = last;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return not_a_number;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

double probabilistic_f1(std::span<const double> scores, std::span<const int> labels) {
  require_equal_sizes(scores.size(), labels.size());
  if (has_nan(scores)) return not_a_number;
  double true_positive = 0;
  double false_positive = 0;
  double positives = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = std::clamp(scores[i], 0.0, 1.0);
    (labels[i] != 0 ? true_positive : false_positive) += p;
    positives += labels[i] != 0 ? 1 : 0;
  }
  const double predicted = true_positive + false_positive;
  const double precision = predicted > 0 ? true_positive / predicted : 0;
  const double recall = positives > 0 ? true_positive / positives : 0;
  return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

}  // namespace mpbench::train

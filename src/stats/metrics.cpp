#include "mpbench/stats/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "metric_sums.hpp"
#include "mpbench/core/error.hpp"
#include "score_steps.hpp"

namespace mpbench::stats {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

void require_equal_sizes(std::size_t a, std::size_t b) {
  if (a != b) throw Error("a metric needs as many predictions as labels");
}

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

bool is_positive(int label) { return label != 0; }

/// The places of the scores, the lowest score's first.
std::vector<std::size_t> ascending(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  return order;
}

bool has_both_classes(std::span<const int> labels) {
  return std::any_of(labels.begin(), labels.end(), is_positive) &&
         !std::all_of(labels.begin(), labels.end(), is_positive);
}

std::optional<double> of_probabilities(AccuracyMetric metric, std::span<const double> probabilities,
                                       std::span<const int> labels) {
  require_equal_sizes(probabilities.size(), labels.size());
  if (labels.empty() || has_nan(probabilities)) return std::nullopt;
  MetricSums sums{};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (probabilities[i] < 0 || probabilities[i] > 1) {
      throw Error(fmt::format("a probability is between 0 and 1, not {}", probabilities[i]));
    }
    add_sample(metric, sums, {probabilities[i], labels[i], 0});
  }
  return value_of_sums(metric, sums);
}

}  // namespace

double accuracy(std::span<const int> predicted, std::span<const int> labels) {
  require_equal_sizes(predicted.size(), labels.size());
  if (labels.empty()) return not_a_number;
  const auto right = std::inner_product(predicted.begin(), predicted.end(), labels.begin(),
                                        std::size_t{0}, std::plus<>(), std::equal_to<>());
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

ConfusionMatrix confusion_matrix(std::span<const int> predicted, std::span<const int> labels,
                                 int classes) {
  require_equal_sizes(predicted.size(), labels.size());
  const auto side = static_cast<std::size_t>(std::max(classes, 0));
  ConfusionMatrix matrix{.classes = classes, .counts = std::vector<std::int64_t>(side * side)};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (const int each : {predicted[i], labels[i]}) {
      if (each < 0 || each >= classes) {
        throw Error(fmt::format("confusion matrix: class {} is not one of {}", each, classes));
      }
    }
    ++matrix.counts[static_cast<std::size_t>(labels[i]) * side +
                    static_cast<std::size_t>(predicted[i])];
  }
  return matrix;
}

double auc(std::span<const double> scores, std::span<const int> labels) {
  require_equal_sizes(scores.size(), labels.size());
  if (has_nan(scores)) return not_a_number;
  const std::vector<std::size_t> order = ascending(scores);
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
  MetricSums sums{};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    add_sample(AccuracyMetric::pf1, sums, {std::clamp(scores[i], 0.0, 1.0), labels[i], 0});
  }
  return value_of_sums(AccuracyMetric::pf1, sums);
}

std::optional<double> average_precision(std::span<const double> scores,
                                        std::span<const int> labels) {
  require_equal_sizes(scores.size(), labels.size());
  if (has_nan(scores) || !has_both_classes(labels)) return std::nullopt;
  return average_precision(score_steps(scores, labels));
}

std::optional<double> sensitivity_at_specificity(std::span<const double> scores,
                                                 std::span<const int> labels, double specificity) {
  require_equal_sizes(scores.size(), labels.size());
  if (!(specificity >= 0 && specificity <= 1)) {
    throw Error(fmt::format("a specificity is between 0 and 1, not {}", specificity));
  }
  if (has_nan(scores) || !has_both_classes(labels)) return std::nullopt;
  const ScoreSteps steps = score_steps(scores, labels);
  const std::size_t taken = steps_at_specificity(steps, specificity);
  return taken > 0 ? steps.true_positives[taken - 1] / steps.positives() : 0;
}

std::optional<double> brier_score(std::span<const double> probabilities,
                                  std::span<const int> labels) {
  return of_probabilities(AccuracyMetric::brier, probabilities, labels);
}

std::optional<double> expected_calibration_error(std::span<const double> probabilities,
                                                 std::span<const int> labels) {
  return of_probabilities(AccuracyMetric::ece, probabilities, labels);
}

BestThreshold best_f1_threshold(std::span<const double> scores, std::span<const int> labels) {
  require_equal_sizes(scores.size(), labels.size());
  if (has_nan(scores)) return {.threshold = not_a_number, .f1 = not_a_number};
  const std::vector<std::size_t> order = ascending(scores);
  const auto positives =
      static_cast<std::uint64_t>(std::count_if(labels.begin(), labels.end(), is_positive));
  BestThreshold best{.threshold = not_a_number, .f1 = 0};
  // F1 = 2 TP / (positives + predicted), compared as fractions: rounding decides no tie.
  std::uint64_t best_right = 0;
  std::uint64_t best_total = 1;
  std::uint64_t right = positives;
  for (std::size_t first = 0; first < order.size();) {
    const double threshold = scores[order[first]];
    const std::uint64_t total = positives + (order.size() - first);
    if (right * best_total > best_right * total) {
      best_right = right;
      best_total = total;
      best = {.threshold = threshold,
              .f1 = 2 * static_cast<double>(right) / static_cast<double>(total)};
    }
    for (; first < order.size() && scores[order[first]] == threshold; ++first) {
      if (is_positive(labels[order[first]])) --right;
    }
  }
  return best;
}

}  // namespace mpbench::stats

#include "fold_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <tuple>

#include "mpbench/stats/fold_interval.hpp"

namespace mpbench::bench {
namespace {

/// As bench::make_plan names the configurations of an axis of folds.
const std::regex fold_part("-fold[0-9]+");

/// Folds that are fewer say little of how much a split matters.
constexpr std::size_t fewest_folds = 3;

stats::AccuracyVerdict verdict_over(const stats::Estimate& delta, std::size_t folds,
                                    double margin) {
  if (!delta.has_interval() || folds < fewest_folds) return stats::AccuracyVerdict::inconclusive;
  if (*delta.high < -margin) return stats::AccuracyVerdict::inferior;
  if (*delta.low <= -margin) return stats::AccuracyVerdict::inconclusive;
  return *delta.high < margin ? stats::AccuracyVerdict::equivalent
                              : stats::AccuracyVerdict::non_inferior;
}

/// What the folds' rows have in common, with the folds' difference.
Comparison combine(const std::vector<const Comparison*>& rows, const std::string& configuration,
                   int folds, const ComparisonOptions& options) {
  const Comparison& first = *rows.front();
  Comparison all;
  all.configuration = configuration;
  all.arm = first.arm;
  all.arm_kind = first.arm_kind;
  all.compared_with = first.compared_with;
  all.model = first.model;
  all.dataset = first.dataset;
  all.batch_size = first.batch_size;
  all.image_size = first.image_size;
  all.channels_last = first.channels_last;
  all.device_name = first.device_name;
  all.baseline_precision = first.baseline_precision;
  all.arm_precision = first.arm_precision;
  all.metric = first.metric;
  all.margin = options.margin;
  all.confidence = options.confidence;
  std::vector<double> deltas;
  for (const Comparison* row : rows) deltas.push_back(*row->metric_delta);
  const double ratio = 1.0 / std::max(1, folds - 1);
  const auto delta = stats::fold_interval(deltas, ratio, options.confidence);
  const stats::Estimate estimate = delta.value_or(stats::mean_interval(std::span(deltas).first(1)));
  all.metric_delta = delta ? estimate.value : stats::mean(deltas);
  all.metric_delta_ci_low = estimate.low;
  all.metric_delta_ci_high = estimate.high;
  // Fewer trainings a fold carry no verdict in any of them, and none in all.
  const bool trained_enough = std::all_of(rows.begin(), rows.end(), [](const Comparison* row) {
    return row->pairs >= stats::fewest_seeds;
  });
  all.accuracy_verdict = trained_enough ? verdict_over(estimate, rows.size(), options.margin)
                                        : stats::AccuracyVerdict::inconclusive;
  all.note =
      fmt::format("over {} of {} folds, each of which has its own validation", rows.size(), folds);
  return all;
}

}  // namespace

std::vector<Comparison> compare_over_folds(const std::vector<Comparison>& rows, int folds,
                                           const ComparisonOptions& options) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, std::vector<const Comparison*>> by_arm;
  for (const Comparison& row : rows) {
    if (!std::regex_search(row.configuration, fold_part) || !row.metric_delta || !row.metric) {
      continue;
    }
    const std::string all = std::regex_replace(row.configuration, fold_part, "-folds");
    by_arm[{all, row.arm, row.compared_with}].push_back(&row);
  }
  std::vector<Comparison> combined;
  for (const auto& [key, of_folds] : by_arm) {
    const bool one_metric =
        std::all_of(of_folds.begin(), of_folds.end(),
                    [&](const Comparison* row) { return row->metric == of_folds.front()->metric; });
    if (of_folds.size() < 2 || !one_metric) continue;
    combined.push_back(combine(of_folds, std::get<0>(key), folds, options));
  }
  return combined;
}

}  // namespace mpbench::bench

#include "fold_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <tuple>

#include "mpbench/stats/fold_interval.hpp"
#include "run_groups.hpp"

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

/// A row's own entry in metrics.csv; nothing where there were no predictions.
const MetricRecord* find_metric(const Comparison& row, const std::vector<MetricRecord>& metrics) {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const MetricRecord& metric) {
    return metric.configuration == row.configuration && metric.arm == row.arm &&
           metric.compared_with == row.compared_with;
  });
  return found == metrics.end() ? nullptr : &*found;
}

/// Why the folds together carry no verdict, in a phrase; empty where they do. Each patient is in
/// the validation of one fold.
std::string lacking_in_folds(const std::vector<const Comparison*>& rows,
                             const std::vector<MetricRecord>& metrics) {
  std::int64_t positive = 0;
  std::int64_t negative = 0;
  std::int64_t patients = 0;
  for (const Comparison* row : rows) {
    if (row->pairs < stats::fewest_seeds) {
      return fmt::format("a fold has {} trainings, and a verdict on accuracy needs {}", row->pairs,
                         stats::fewest_seeds);
    }
    const MetricRecord* metric = find_metric(*row, metrics);
    if (metric == nullptr) {
      return "predictions are missing, so the number of patients is not known";
    }
    positive += metric->positive_patients;
    negative += metric->negative_patients;
    patients += metric->patients;
  }
  // There is no AUC of several classes, and none of them is the positive one.
  if (rows.front()->metric == ComparedMetric::val_accuracy) {
    if (patients >= stats::fewest_patients) return "";
    return fmt::format("{} patients in all folds, and a verdict on accuracy needs {}", patients,
                       stats::fewest_patients);
  }
  const auto fewer = std::min(positive, negative);
  if (fewer >= stats::fewest_patients) return "";
  return fmt::format("{} {} patients in all folds, and a verdict on accuracy needs {}", fewer,
                     positive <= negative ? "positive" : "negative", stats::fewest_patients);
}

/// What the folds' rows have in common, with the folds' difference.
Comparison combine(const std::vector<const Comparison*>& rows,
                   const std::vector<MetricRecord>& metrics, const std::string& configuration,
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
  Notes notes;
  notes.add(
      fmt::format("over {} of {} folds, each of which has its own validation", rows.size(), folds));
  const std::string lacking = lacking_in_folds(rows, metrics);
  notes.add(lacking);
  all.accuracy_verdict = lacking.empty() ? verdict_over(estimate, rows.size(), options.margin)
                                         : stats::AccuracyVerdict::inconclusive;
  const bool is_within = all.accuracy_verdict == stats::AccuracyVerdict::non_inferior ||
                         all.accuracy_verdict == stats::AccuracyVerdict::equivalent;
  if (is_within && *estimate.high < 0) notes.add("the metric is worse, within the margin");
  all.note = notes.text();
  return all;
}

}  // namespace

std::vector<Comparison> compare_over_folds(const std::vector<Comparison>& rows,
                                           const std::vector<MetricRecord>& metrics, int folds,
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
    combined.push_back(combine(of_folds, metrics, std::get<0>(key), folds, options));
  }
  return combined;
}

}  // namespace mpbench::bench

#include "metric_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "evidence.hpp"
#include "mpbench/stats/case_aggregation.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::bench {
namespace {

/// How a metric is computed from predictions.
struct MetricTraits {
  ComparedMetric metric;
  bool of_cases;  ///< of breasts, by the mean score of their images
  stats::AccuracyMetric computed;
};

/// In the order of preference. A breast is what is diagnosed, and its images are not independent.
constexpr MetricTraits metrics[] = {
    {ComparedMetric::val_breast_auc, true, stats::AccuracyMetric::auc},
    {ComparedMetric::val_auc, false, stats::AccuracyMetric::auc},
    {ComparedMetric::val_accuracy, false, stats::AccuracyMetric::accuracy}};

/// The first metric that any run has. All of them must have it: one metric says nothing beside
/// another, and a run that lacks it is not the like of those that have it.
const MetricTraits* choose_metric(const std::vector<Pair>& pairs, Notes& notes) {
  for (const MetricTraits& traits : metrics) {
    std::string without;
    std::size_t measured = 0;
    for (const Pair& pair : pairs) {
      for (const RunRecord* run : {pair.baseline, pair.arm}) {
        const auto value = value_of(*run, traits.metric);
        if (value && std::isfinite(*value)) {
          ++measured;
        } else if (without.empty()) {
          without = run->run_id;
        }
      }
    }
    if (measured == 0) continue;
    if (without.empty()) return &traits;
    notes.add(fmt::format("accuracy is not judged: {} has no {}, and others have", without,
                          enum_name(traits.metric)));
    return nullptr;
  }
  return nullptr;
}

bool all_have_logits(const std::vector<PredictionRow>& rows) {
  return std::all_of(rows.begin(), rows.end(),
                     [](const PredictionRow& row) { return row.logit.has_value(); });
}

/// The two runs' rows side by side; empty when they are not of the same samples.
std::optional<stats::PairedPredictions> join(const std::vector<PredictionRow>& baseline,
                                             const std::vector<PredictionRow>& arm) {
  if (baseline.empty() || baseline.size() != arm.size()) return std::nullopt;
  stats::PairedPredictions joined;
  // Probabilities that round to 1 rank nothing; runs of earlier versions have no logits.
  const bool by_logits = all_have_logits(baseline) && all_have_logits(arm);
  const auto rank = [&](const PredictionRow& row) { return by_logits ? *row.logit : row.score; };
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    if (baseline[i].sample_id != arm[i].sample_id || baseline[i].label != arm[i].label ||
        baseline[i].group != arm[i].group) {
      return std::nullopt;
    }
    joined.group.push_back(baseline[i].group);
    joined.label.push_back(baseline[i].label);
    joined.baseline_score.push_back(rank(baseline[i]));
    joined.arm_score.push_back(rank(arm[i]));
    joined.baseline_predicted.push_back(baseline[i].predicted);
    joined.arm_predicted.push_back(arm[i].predicted);
    if (!by_logits) continue;
    joined.baseline_probability.push_back(baseline[i].score);
    joined.arm_probability.push_back(arm[i].score);
  }
  return joined;
}

/// One element a pair; empty when any pair's predictions are missing or do not match.
std::vector<stats::PairedPredictions> join_all(const std::vector<Pair>& pairs, bool of_cases,
                                               PredictionStore& store, Notes& notes) {
  std::vector<stats::PairedPredictions> repeats;
  for (const Pair& pair : pairs) {
    const auto& baseline = store.get(pair.baseline->run_id);
    const auto& arm = store.get(pair.arm->run_id);
    auto joined = of_cases ? join(mean_by_case(baseline), mean_by_case(arm)) : join(baseline, arm);
    if (!joined) {
      notes.add(baseline.empty() || arm.empty()
                    ? "predictions are missing: the metric's interval is over repeats"
                    : fmt::format("the predictions of {} and {} are not of the same samples",
                                  pair.baseline->run_id, pair.arm->run_id));
      return {};
    }
    repeats.push_back(std::move(*joined));
  }
  return repeats;
}

bool all_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values.front(); });
}

/// Runs that were not for their speed alone.
std::vector<Pair> validated(const std::vector<Pair>& pairs) {
  std::vector<Pair> left;
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(left), [&](const Pair& pair) {
    return is_validated(*pair.baseline) || is_validated(*pair.arm);
  });
  return left;
}

/// Whether all repeats were judged on the same samples.
bool of_same_samples(const std::vector<stats::PairedPredictions>& repeats) {
  return std::all_of(repeats.begin(), repeats.end(), [&](const stats::PairedPredictions& repeat) {
    return repeat.group == repeats.front().group && repeat.label == repeats.front().label;
  });
}

MetricRecord record_of(const RunGroup& group, const GroupArm& arm, stats::AccuracyMetric metric,
                       bool of_cases, const stats::MetricDifference& difference) {
  const bool has_interval = difference.low && difference.high;
  return {.configuration = group.identity.configuration,
          .arm = arm.name,
          .arm_kind = arm.kind,
          .compared_with = arm.compared_with,
          .metric = metric,
          .unit = of_cases ? "breast" : "image",
          .baseline_value = difference.baseline,
          .arm_value = difference.arm,
          .delta = difference.delta,
          .ci_low = difference.low,
          .ci_high = difference.high,
          .standard_error = has_interval ? std::optional(difference.standard_error) : std::nullopt,
          .degrees_of_freedom =
              has_interval ? std::optional(difference.degrees_of_freedom) : std::nullopt,
          .seed_sd = difference.seeds > 1 ? std::optional(difference.seed_sd) : std::nullopt,
          .seeds = difference.seeds,
          .patients = difference.patients,
          .positive_patients = difference.positive_patients,
          .negative_patients = difference.negative_patients};
}

/// All metrics that the predictions give; fills in the one that is judged.
void compare_all_metrics(const RunGroup& group, const GroupArm& arm,
                         const std::vector<stats::PairedPredictions>& repeats,
                         const MetricTraits& traits, double confidence,
                         AccuracyComparison& result) {
  for (const auto& [metric, name] : enum_names<stats::AccuracyMetric>) {
    const auto difference = stats::compare_metric(repeats, metric, confidence);
    if (!difference) continue;
    result.metrics.push_back(record_of(group, arm, metric, traits.of_cases, *difference));
    if (metric == traits.computed) result.difference = *difference;
  }
  if (!result.difference) return;
  result.delta = stats::Estimate{.value = result.difference->delta,
                                 .low = result.difference->low,
                                 .high = result.difference->high};
}

}  // namespace

bool is_validated(const RunRecord& run) { return run.val_loss || run.val_accuracy || run.val_auc; }

std::optional<double> value_of(const RunRecord& run, ComparedMetric metric) {
  switch (metric) {
    case ComparedMetric::val_breast_auc:
      return run.val_breast_auc;
    case ComparedMetric::val_auc:
      return run.val_auc;
    case ComparedMetric::val_accuracy:
      break;
  }
  return run.val_accuracy;
}

const std::vector<PredictionRow>& PredictionStore::get(const std::string& run_id) {
  const auto [place, added] = rows_.try_emplace(run_id);
  if (added && lookup_) {
    place->second = lookup_(run_id);
    std::sort(
        place->second.begin(), place->second.end(),
        [](const PredictionRow& a, const PredictionRow& b) { return a.sample_id < b.sample_id; });
  }
  return place->second;
}

AccuracyComparison compare_accuracy(const RunGroup& group, const GroupArm& arm,
                                    const std::vector<Pair>& all_pairs,
                                    PredictionStore& predictions, const ComparisonOptions& options,
                                    Notes& notes) {
  const std::vector<Pair> pairs = validated(all_pairs);
  const MetricTraits* traits = choose_metric(pairs, notes);
  if (traits == nullptr) return {};
  AccuracyComparison result{.metric = traits->metric};
  std::vector<double> recorded;
  for (const Pair& pair : pairs) {
    recorded.push_back(*value_of(*pair.arm, traits->metric) -
                       *value_of(*pair.baseline, traits->metric));
  }
  const auto repeats = join_all(pairs, traits->of_cases, predictions, notes);
  result.lacking = lacking_evidence(pairs, repeats);
  if (!repeats.empty() && of_same_samples(repeats)) {
    compare_all_metrics(group, arm, repeats, *traits, options.confidence, result);
    // Recomputed from the file in double: a larger gap means that they are not of the same model
    // state.
    if (result.delta) {
      if (const double gap = result.delta->value - stats::mean(recorded); std::abs(gap) > 1e-6) {
        notes.add(
            fmt::format("{} recomputed from the predictions differs by {:+.2g} from what the runs "
                        "recorded",
                        enum_name(traits->metric), gap));
      }
    }
    if (result.delta && result.delta->has_interval()) return result;
    notes.add("the predictions carry no interval: the metric's is over the repeats");
  }
  const double computed = result.delta ? result.delta->value : stats::mean(recorded);
  result.delta = stats::mean_interval(recorded, options.confidence);
  result.delta->value = computed;
  // Repeats with the same seed may agree to the last bit; a width of zero would claim certainty.
  if (all_equal(recorded)) {
    result.delta->low.reset();
    result.delta->high.reset();
  }
  return result;
}

std::vector<PredictionRow> mean_by_case(std::span<const PredictionRow> rows) {
  std::vector<stats::ImageScore> images;
  images.reserve(rows.size());
  for (const PredictionRow& row : rows) {
    images.push_back({.case_id = row.case_id,
                      .group = row.group,
                      .label = row.label,
                      .score = row.score,
                      .logit = row.logit});
  }
  std::vector<PredictionRow> means;
  for (const stats::CaseScore& unit : stats::aggregate_cases(images)) {
    PredictionRow& row = means.emplace_back(rows[unit.first]);
    if (row.case_id.empty()) continue;
    row.sample_id = row.case_id;
    row.attributes.view.clear();  // it has several
    row.label = unit.label;
    row.score = unit.score;
    if (row.logit) row.logit = unit.logit;
    row.predicted = row.score >= 0.5 ? 1 : 0;
  }
  return means;
}

}  // namespace mpbench::bench

#include "decision_flips.hpp"

#include <algorithm>

#include "mpbench/stats/mcnemar.hpp"

namespace mpbench::bench {
namespace {

bool has_cases(const std::vector<PredictionRow>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const PredictionRow& row) { return !row.case_id.empty(); });
}

bool same_samples(const std::vector<PredictionRow>& a, const std::vector<PredictionRow>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const PredictionRow& one, const PredictionRow& other) {
                      return one.sample_id == other.sample_id && one.label == other.label;
                    });
}

int decision(const PredictionRow& row, const std::optional<double>& threshold) {
  if (!threshold) return row.predicted;
  return row.score >= *threshold ? 1 : 0;
}

}  // namespace

DecisionFlips decision_flips(const RunGroup& group, const GroupArm& arm,
                             const std::vector<Pair>& pairs, PredictionStore& predictions) {
  DecisionFlips all;
  for (const Pair& pair : pairs) {
    std::vector<PredictionRow> baseline = predictions.get(pair.baseline->run_id);
    std::vector<PredictionRow> judged = predictions.get(pair.arm->run_id);
    const bool of_cases = has_cases(baseline) && pair.baseline->val_threshold.has_value();
    if (of_cases) {
      baseline = mean_by_case(baseline);
      judged = mean_by_case(judged);
    }
    if (baseline.empty() || !same_samples(baseline, judged)) continue;
    DecisionRecord record{.configuration = group.identity.configuration,
                          .arm = arm.name,
                          .arm_kind = arm.kind,
                          .compared_with = arm.compared_with,
                          .repeat = pair.arm->repeat.value_or(0),
                          .unit = of_cases ? "breast" : "image",
                          .threshold = pair.baseline->val_threshold,
                          .decisions = static_cast<std::int64_t>(baseline.size())};
    for (std::size_t i = 0; i < baseline.size(); ++i) {
      const int before = decision(baseline[i], record.threshold);
      const int after = decision(judged[i], record.threshold);
      const bool was_right = before == baseline[i].label;
      const bool is_right = after == baseline[i].label;
      (was_right ? (is_right ? record.both_right : record.lost)
                 : (is_right ? record.gained : record.both_wrong)) += 1;
      if (before == after) continue;
      all.flips.push_back({.configuration = record.configuration,
                           .arm = record.arm,
                           .arm_kind = record.arm_kind,
                           .compared_with = record.compared_with,
                           .repeat = record.repeat,
                           .unit = record.unit,
                           .sample_id = baseline[i].sample_id,
                           .group = baseline[i].group,
                           .label = baseline[i].label,
                           .baseline_score = baseline[i].score,
                           .arm_score = judged[i].score,
                           .baseline_decision = before,
                           .arm_decision = after});
    }
    record.mcnemar_p = stats::mcnemar_exact(record.lost, record.gained);
    all.repeats.push_back(std::move(record));
  }
  return all;
}

}  // namespace mpbench::bench

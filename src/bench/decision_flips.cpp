#include "decision_flips.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "mpbench/stats/mcnemar.hpp"

namespace mpbench::bench {
namespace {

/// An attribute with more values than this tells samples apart rather than groups.
constexpr std::size_t most_groups = 50;
constexpr const char* no_value = "unknown";

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

/// What both models decide on one image or breast.
struct Decisions {
  int baseline = 0;
  int arm = 0;
  bool baseline_is_right = false;
  bool arm_is_right = false;
};

void count(const Decisions& decisions, DecisionRecord& record) {
  ++record.decisions;
  if (decisions.baseline_is_right) {
    ++(decisions.arm_is_right ? record.both_right : record.lost);
  } else {
    ++(decisions.arm_is_right ? record.gained : record.both_wrong);
  }
}

/// The tens of years that an age is in, as "60-69".
std::string decade_of(const std::string& age) {
  constexpr int oldest = 150;
  int years = -1;
  const auto [end, error] = std::from_chars(age.data(), age.data() + age.size(), years);
  const bool is_number =
      error == std::errc() && (end == age.data() + age.size() || *end == '.' || *end == ',');
  if (!is_number || years < 0 || years > oldest) return no_value;
  return fmt::format("{}-{}", years / 10 * 10, years / 10 * 10 + 9);
}

/// The group that an attribute puts an image or a breast in.
std::string group_of(const PredictionRow& row, const data::AttributeField& field) {
  const std::string& value = row.attributes.*field.value;
  if (value.empty()) return no_value;
  return field.value == &data::SampleAttributes::age ? decade_of(value) : value;
}

/// All together, and then by each attribute that is known of any of them. `record` says whose
/// decisions they are.
std::vector<DecisionRecord> count_all(const std::vector<PredictionRow>& rows,
                                      const std::vector<Decisions>& decisions,
                                      const DecisionRecord& record) {
  std::vector<DecisionRecord> records{record};
  for (const Decisions& each : decisions) count(each, records.front());
  for (const data::AttributeField& field : data::attribute_fields) {
    std::map<std::string, DecisionRecord> groups;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string value = group_of(rows[i], field);
      DecisionRecord& group = groups.try_emplace(value, record).first->second;
      group.attribute = field.name;
      group.value = value;
      count(decisions[i], group);
    }
    const bool is_known = groups.size() > 1 || !groups.contains(no_value);
    if (!is_known || groups.size() > most_groups) continue;
    for (auto& [value, group] : groups) records.push_back(std::move(group));
  }
  for (DecisionRecord& each : records)
    each.mcnemar_p = stats::mcnemar_exact(each.lost, each.gained);
  return records;
}

/// `record`: whose decisions these are, on what and at which threshold.
void add_decisions(const std::vector<PredictionRow>& baseline,
                   const std::vector<PredictionRow>& arm, const DecisionRecord& record,
                   DecisionFlips& all) {
  std::vector<Decisions> decisions;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    const int before = decision(baseline[i], record.threshold);
    const int after = decision(arm[i], record.threshold);
    decisions.push_back({.baseline = before,
                         .arm = after,
                         .baseline_is_right = before == baseline[i].label,
                         .arm_is_right = after == baseline[i].label});
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
                         .arm_score = arm[i].score,
                         .baseline_decision = before,
                         .arm_decision = after,
                         .attributes = baseline[i].attributes});
  }
  for (DecisionRecord& each : count_all(baseline, decisions, record)) {
    all.repeats.push_back(std::move(each));
  }
}

}  // namespace

DecisionFlips decision_flips(const RunGroup& group, const GroupArm& arm,
                             const std::vector<Pair>& pairs, PredictionStore& predictions) {
  DecisionFlips all;
  for (const Pair& pair : pairs) {
    const std::vector<PredictionRow>& baseline = predictions.get(pair.baseline->run_id);
    const std::vector<PredictionRow>& judged = predictions.get(pair.arm->run_id);
    if (baseline.empty() || !same_samples(baseline, judged)) continue;
    DecisionRecord record{.configuration = group.identity.configuration,
                          .arm = arm.name,
                          .arm_kind = arm.kind,
                          .compared_with = arm.compared_with,
                          .repeat = pair.arm->repeat.value_or(0),
                          .threshold = pair.baseline->val_threshold};
    if (has_cases(baseline) && record.threshold) {
      const std::vector<PredictionRow> of_baseline = mean_by_case(baseline);
      const std::vector<PredictionRow> of_arm = mean_by_case(judged);
      record.unit = "breast";
      if (same_samples(of_baseline, of_arm)) add_decisions(of_baseline, of_arm, record, all);
    }
    record.unit = "image";
    add_decisions(baseline, judged, record, all);
  }
  return all;
}

}  // namespace mpbench::bench

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mpbench/bench/run_record.hpp"

namespace mpbench::bench {

/// One row of decisions.csv: how the decisions of one repeat's two models differ, at the threshold
/// that the baseline's model would be used with; over all of validation, or over those with one
/// value of an attribute.
struct DecisionRecord {
  std::string configuration;
  std::string arm;
  ArmKind arm_kind = ArmKind::arm;
  std::string compared_with;
  std::int64_t repeat = 0;
  std::string unit{};               ///< "breast" or "image"
  std::string attribute{};          ///< "site", "view", ...; empty: all
  std::string value{};              ///< of it; ages in tens of years; "unknown" where it has none
  std::optional<double> threshold;  ///< empty with more than two classes
  std::int64_t decisions = 0;
  std::int64_t both_right = 0;
  std::int64_t both_wrong = 0;
  std::int64_t lost = 0;    ///< the baseline's model was right, the arm's was not
  std::int64_t gained = 0;  ///< the other way round
  double mcnemar_p = 1;     ///< stats::mcnemar_exact of lost and gained
};

/// One row of flips.csv: a decision that differs.
struct FlipRecord {
  std::string configuration;
  std::string arm;
  ArmKind arm_kind = ArmKind::arm;
  std::string compared_with;
  std::int64_t repeat = 0;
  std::string unit;
  std::string sample_id;  ///< the image, or the breast
  std::string group;      ///< the patient
  int label = 0;
  double baseline_score = 0;
  double arm_score = 0;
  int baseline_decision = 0;
  int arm_decision = 0;
  data::SampleAttributes attributes{};
};

template <RecordOf<DecisionRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("configuration", r.configuration);
  visit("arm", r.arm);
  visit("arm_kind", r.arm_kind);
  visit("compared_with", r.compared_with);
  visit("repeat", r.repeat);
  visit("unit", r.unit);
  visit("attribute", r.attribute);
  visit("value", r.value);
  visit("threshold", r.threshold);
  visit("decisions", r.decisions);
  visit("both_right", r.both_right);
  visit("both_wrong", r.both_wrong);
  visit("lost", r.lost);
  visit("gained", r.gained);
  visit("mcnemar_p", r.mcnemar_p);
}

template <RecordOf<FlipRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("configuration", r.configuration);
  visit("arm", r.arm);
  visit("arm_kind", r.arm_kind);
  visit("compared_with", r.compared_with);
  visit("repeat", r.repeat);
  visit("unit", r.unit);
  visit("sample_id", r.sample_id);
  visit("group", r.group);
  visit("label", r.label);
  visit("baseline_score", r.baseline_score);
  visit("arm_score", r.arm_score);
  visit("baseline_decision", r.baseline_decision);
  visit("arm_decision", r.arm_decision);
  for (const data::AttributeField& field : data::attribute_fields) {
    visit(field.name, r.attributes.*field.value);
  }
}

}  // namespace mpbench::bench

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mpbench/bench/run_record.hpp"
#include "mpbench/stats/metric_comparison.hpp"

namespace mpbench::bench {

/// One row of metrics.csv: one metric of an arm against what it is compared with. Its columns but
/// the first five are those of stats::MetricDifference.
struct MetricRecord {
  std::string configuration;
  std::string arm;
  ArmKind arm_kind = ArmKind::arm;
  std::string compared_with;
  stats::AccuracyMetric metric = stats::AccuracyMetric::auc;
  std::string unit;  ///< "breast" or "image": what is judged
  double baseline_value = 0;
  double arm_value = 0;
  double delta = 0;
  std::optional<double> ci_low;
  std::optional<double> ci_high;
  std::optional<double> standard_error;      ///< where there is an interval
  std::optional<double> degrees_of_freedom;  ///< likewise
  std::optional<double> seed_sd;             ///< with two repeats or more
  std::int64_t seeds = 0;
  std::int64_t patients = 0;
  std::int64_t positive_patients = 0;
  std::int64_t negative_patients = 0;
};

template <RecordOf<MetricRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("configuration", r.configuration);
  visit("arm", r.arm);
  visit("arm_kind", r.arm_kind);
  visit("compared_with", r.compared_with);
  visit("metric", r.metric);
  visit("unit", r.unit);
  visit("baseline_value", r.baseline_value);
  visit("arm_value", r.arm_value);
  visit("delta", r.delta);
  visit("ci_low", r.ci_low);
  visit("ci_high", r.ci_high);
  visit("standard_error", r.standard_error);
  visit("degrees_of_freedom", r.degrees_of_freedom);
  visit("seed_sd", r.seed_sd);
  visit("seeds", r.seeds);
  visit("patients", r.patients);
  visit("positive_patients", r.positive_patients);
  visit("negative_patients", r.negative_patients);
}

}  // namespace mpbench::bench

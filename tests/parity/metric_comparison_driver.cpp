// Differences of metrics with their intervals, and the statistics beside them: one JSON object a
// line on stdin, one on stdout. metric_comparison_parity_test.py drives it.
#include <optional>
#include <stdexcept>

#include "driver.hpp"
#include "mpbench/stats/accuracy_power.hpp"
#include "mpbench/stats/fold_interval.hpp"
#include "mpbench/stats/mcnemar.hpp"
#include "mpbench/stats/metric_comparison.hpp"
#include "mpbench/stats/metrics.hpp"

namespace mpbench::parity::metric_comparison_driver {
namespace {

template <class Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}

stats::PairedPredictions read_seed(const json& seed) {
  return {.group = seed.at("group").get<std::vector<std::string>>(),
          .label = seed.at("label").get<std::vector<int>>(),
          .baseline_score = seed.at("baseline_score").get<std::vector<double>>(),
          .arm_score = seed.at("arm_score").get<std::vector<double>>(),
          .baseline_predicted = seed.at("baseline_predicted").get<std::vector<int>>(),
          .arm_predicted = seed.at("arm_predicted").get<std::vector<int>>(),
          .baseline_probability = seed.value("baseline_probability", std::vector<double>{}),
          .arm_probability = seed.value("arm_probability", std::vector<double>{})};
}

json compare(const json& request) {
  std::vector<stats::PairedPredictions> seeds;
  for (const json& seed : request.at("seeds")) seeds.push_back(read_seed(seed));
  const auto metric =
      parse_enum<stats::AccuracyMetric>(request.at("metric").get<std::string>(), "metric");
  const auto difference = stats::compare_metric(seeds, metric, request.at("confidence"));
  if (!difference) return nullptr;
  return {{"baseline", difference->baseline},
          {"arm", difference->arm},
          {"delta", difference->delta},
          {"standard_error", difference->standard_error},
          {"degrees_of_freedom", difference->degrees_of_freedom},
          {"low", or_null(difference->low)},
          {"high", or_null(difference->high)},
          {"seeds", difference->seeds},
          {"patients", difference->patients},
          {"positive_patients", difference->positive_patients},
          {"negative_patients", difference->negative_patients},
          {"seed_sd", difference->seed_sd}};
}

json metrics_of(const json& request) {
  const auto scores = request.at("scores").get<std::vector<double>>();
  const auto labels = request.at("labels").get<std::vector<int>>();
  return {{"pr_auc", or_null(stats::average_precision(scores, labels))},
          {"sensitivity", or_null(stats::sensitivity_at_specificity(scores, labels, 0.9))},
          {"brier", or_null(stats::brier_score(scores, labels))},
          {"ece", or_null(stats::expected_calibration_error(scores, labels))}};
}

json margin_of(const json& request) {
  const stats::AccuracyPlan plan{.positives = request.at("positives"),
                                 .negatives = request.at("negatives"),
                                 .seeds = request.at("seeds"),
                                 .assumed_auc = request.at("auc"),
                                 .seed_sd = request.at("seed_sd"),
                                 .score_correlation = request.at("score_correlation"),
                                 .shared = request.at("shared"),
                                 .seed_correlation = request.at("seed_correlation")};
  const double confidence = request.at("confidence");
  const double power = request.at("power");
  return {{"margin", stats::smallest_provable_margin(plan, confidence, power)},
          {"positives",
           or_null(stats::positives_needed(plan, request.at("target"), confidence, power))}};
}

json fold_interval(const json& request) {
  const auto interval = stats::fold_interval(request.at("differences").get<std::vector<double>>(),
                                             request.at("ratio"), request.at("confidence"));
  if (!interval) return nullptr;
  return {interval->value, *interval->low, *interval->high};
}

json answer(const json& request) {
  const std::string what = request.at("what");
  if (what == "compare") return compare(request);
  if (what == "metrics") return metrics_of(request);
  if (what == "mcnemar") return stats::mcnemar_exact(request.at("baseline"), request.at("arm"));
  if (what == "margin") return margin_of(request);
  if (what == "folds") return fold_interval(request);
  throw std::runtime_error("unknown request " + what);
}

}  // namespace

const Driver driver("metric_comparison", answer);

}  // namespace mpbench::parity::metric_comparison_driver

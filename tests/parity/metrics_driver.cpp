// Metrics of given scores: one JSON object a line on stdin, one on stdout.
#include <iostream>

#include "driver.hpp"
#include "mpbench/stats/case_aggregation.hpp"
#include "mpbench/stats/metrics.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::metrics_driver {
namespace {

std::vector<double> numbers(const json& list) {
  std::vector<double> values;
  for (const json& value : list) values.push_back(parity::to_double(value));
  return values;
}

json of_scores(const json& request) {
  const auto scores = numbers(request.at("scores"));
  const auto labels = request.at("labels").get<std::vector<int>>();
  const stats::BestThreshold best = stats::best_f1_threshold(scores, labels);
  std::vector<double> cut;
  for (const double score : scores) cut.push_back(score >= best.threshold ? 1 : 0);
  return {{"auc", parity::to_json(stats::auc(scores, labels))},
          {"pf1", parity::to_json(stats::probabilistic_f1(scores, labels))},
          {"threshold", parity::to_json(best.threshold)},
          {"best_f1", parity::to_json(best.f1)},
          {"pf1_when_cut", parity::to_json(stats::probabilistic_f1(cut, labels))}};
}

json of_classes(const json& request) {
  const auto predicted = request.at("predicted").get<std::vector<int>>();
  const auto labels = request.at("labels").get<std::vector<int>>();
  return {{"accuracy", parity::to_json(stats::accuracy(predicted, labels))},
          {"confusion",
           stats::confusion_matrix(predicted, labels, request.at("classes").get<int>()).counts}};
}

json of_cases(const json& request) {
  const auto units = request.at("units").get<std::vector<std::string>>();
  const auto scores = numbers(request.at("scores"));
  const auto labels = request.at("labels").get<std::vector<int>>();
  std::vector<stats::ImageScore> images;
  for (std::size_t i = 0; i < units.size(); ++i) {
    images.push_back({.case_id = units[i], .group = "", .label = labels[i], .score = scores[i]});
  }
  const auto scoring =
      request.at("scoring") == "max" ? stats::CaseAggregation::max : stats::CaseAggregation::mean;
  json rows = json::array();
  for (const stats::CaseScore& unit : stats::aggregate_cases(images, scoring)) {
    rows.push_back({{"unit", units[unit.first]},
                    {"images", unit.images},
                    {"label", unit.label},
                    {"score", parity::to_json(unit.score)}});
  }
  return rows;
}

json answer(const json& request) {
  const std::string what = request.at("what");
  if (what == "scores") return of_scores(request);
  if (what == "classes") return of_classes(request);
  return of_cases(request);
}

}  // namespace

const Driver driver("metrics", answer);

}  // namespace mpbench::parity::metrics_driver

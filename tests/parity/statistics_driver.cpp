// Reads one JSON request a line on stdin, writes one JSON answer a line on stdout;
// statistics_parity_test.py drives it.
#include "driver.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/io/csv_records.hpp"
#include "mpbench/stats/metrics.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::parity::statistics_driver {
namespace {

json to_json(const stats::Estimate& estimate) {
  json answer{{"value", estimate.value}};
  if (estimate.low) answer["low"] = *estimate.low;
  if (estimate.high) answer["high"] = *estimate.high;
  return answer;
}

double auc(std::span<const double> scores, std::span<const int> labels, std::span<const int>) {
  return stats::auc(scores, labels);
}

double accuracy(std::span<const double>, std::span<const int> labels,
                std::span<const int> predicted) {
  return stats::accuracy(predicted, labels);
}

stats::PairedPredictions read_repeat(const json& repeat) {
  stats::PairedPredictions rows;
  rows.group = repeat.at("group").get<std::vector<std::string>>();
  rows.label = repeat.at("label").get<std::vector<int>>();
  rows.baseline_score = repeat.at("baseline_score").get<std::vector<double>>();
  rows.arm_score = repeat.at("arm_score").get<std::vector<double>>();
  for (const double score : rows.baseline_score) rows.baseline_predicted.push_back(score >= 0.5);
  for (const double score : rows.arm_score) rows.arm_predicted.push_back(score >= 0.5);
  return rows;
}

json bootstrap(const json& request) {
  std::vector<stats::PairedPredictions> repeats;
  for (const json& repeat : request.at("repeats")) repeats.push_back(read_repeat(repeat));
  const auto result =
      stats::bootstrap_delta(repeats, request.at("metric") == "auc" ? auc : accuracy,
                             {.resamples = request.at("resamples"),
                              .confidence = 0.95,
                              .seed = request.value("seed", 0U)});
  json answer = to_json(result.delta);
  answer["groups"] = result.groups;
  answer["undefined"] = result.undefined;
  return answer;
}

/// The speed verdict on runs with these images/s, one list a precision.
json verdict(const json& request) {
  std::vector<bench::RunRecord> runs;
  for (const char* precision : {"fp32", "bf16"}) {
    const auto speeds = request.at(precision).get<std::vector<double>>();
    for (std::size_t i = 0; i < speeds.size(); ++i) {
      bench::RunRecord& run = runs.emplace_back();
      run.status = bench::RunStatus::ok;
      run.precision = precision;
      run.repeat = static_cast<std::int64_t>(i);
      run.images_per_s = speeds[i];
    }
  }
  return csv::format_cell(bench::compare_runs(runs, {}, {}).at(0).speed_verdict);
}

template <class Record>
json column_names() {
  return csv::column_names<Record>();
}

/// A runs.csv with hostile text in it, written and read back by this program.
json round_trip(const json& request) {
  const std::filesystem::path path = request.at("path").get<std::string>();
  std::vector<bench::RunRecord> runs;
  for (const json& text : request.at("texts")) {
    bench::RunRecord& run = runs.emplace_back();
    run.run_id = "run";
    run.error = text.get<std::string>();
    run.images_per_s = request.at("number").get<double>();
  }
  csv::write_records(path, runs);
  json texts = json::array();
  for (const auto& run : csv::read_records<bench::RunRecord>(path)) texts.push_back(run.error);
  return texts;
}

json answer(const json& request) {
  const std::string what = request.at("what");
  const auto values = request.value("values", std::vector<double>{});
  if (what == "median") return stats::median(values);
  if (what == "mad") return stats::median_absolute_deviation(values);
  if (what == "quantile") return stats::quantile(values, request.at("q"));
  if (what == "deviation") return stats::standard_deviation(values);
  if (what == "mean_interval")
    return to_json(stats::mean_interval(values, request.at("confidence")));
  if (what == "ratio_interval") {
    const auto other = request.at("other").get<std::vector<double>>();
    return to_json(stats::ratio_interval(values, other, request.at("confidence")));
  }
  if (what == "noise_floor") return *stats::noise_floor(values);
  if (what == "bootstrap") return bootstrap(request);
  if (what == "verdict") return verdict(request);
  if (what == "round_trip") return round_trip(request);
  if (what == "columns") {
    return {{"runs.csv", column_names<bench::RunRecord>()},
            {"epochs.csv", column_names<bench::EpochRecord>()},
            {"comparison.csv", column_names<bench::Comparison>()},
            {"predictions/<run_id>.csv", column_names<bench::PredictionRow>()}};
  }
  throw std::runtime_error("unknown request " + what);
}

}  // namespace

const Driver driver("statistics", answer);

}  // namespace mpbench::parity::statistics_driver

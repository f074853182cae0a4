// Reads one JSON request a line on stdin, writes one JSON answer a line on stdout;
// statistics_parity_test.py drives it.
#include "driver.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/joined_comparison.hpp"
#include "mpbench/io/csv_records.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::parity::statistics_driver {
namespace {

json to_json(const stats::Estimate& estimate) {
  json answer{{"value", estimate.value}};
  if (estimate.low) answer["low"] = *estimate.low;
  if (estimate.high) answer["high"] = *estimate.high;
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
  return csv::format_cell(
      bench::compare_runs({.runs = runs, .blocks = {}}, {}).comparisons.at(0).speed_verdict);
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
  if (what == "verdict") return verdict(request);
  if (what == "round_trip") return round_trip(request);
  if (what == "columns") {
    return {{"runs.csv", column_names<bench::RunRecord>()},
            {"epochs.csv", column_names<bench::EpochRecord>()},
            {"comparison.csv", column_names<bench::Comparison>()},
            {"blocks.csv", column_names<bench::BlockRecord>()},
            {"sessions.csv", column_names<bench::SessionRecord>()},
            {"metrics.csv", column_names<bench::MetricRecord>()},
            {"decisions.csv", column_names<bench::DecisionRecord>()},
            {"flips.csv", column_names<bench::FlipRecord>()},
            {"mpbench report --format csv", column_names<bench::FolderColumns>()},
            {"predictions/<run_id>.csv", column_names<bench::PredictionRow>()}};
  }
  throw std::runtime_error("unknown request " + what);
}

}  // namespace

const Driver driver("statistics", answer);

}  // namespace mpbench::parity::statistics_driver

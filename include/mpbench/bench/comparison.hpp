#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/bench/comparison_options.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/core/enum_names.hpp"

namespace mpbench::bench {

/// The metric that accuracy is compared by: a column of runs.csv.
enum class ComparedMetric { val_breast_auc, val_auc, val_accuracy };
enum class SpeedVerdict { faster, slower, indistinguishable };
enum class AccuracyVerdict { non_inferior, inferior, inconclusive };

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::ComparedMetric> =
    std::to_array<mpbench::EnumName<mpbench::bench::ComparedMetric>>(
        {{mpbench::bench::ComparedMetric::val_breast_auc, "val_breast_auc"},
         {mpbench::bench::ComparedMetric::val_auc, "val_auc"},
         {mpbench::bench::ComparedMetric::val_accuracy, "val_accuracy"}});
template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::SpeedVerdict> =
    std::to_array<mpbench::EnumName<mpbench::bench::SpeedVerdict>>(
        {{mpbench::bench::SpeedVerdict::faster, "faster"},
         {mpbench::bench::SpeedVerdict::slower, "slower"},
         {mpbench::bench::SpeedVerdict::indistinguishable, "indistinguishable"}});

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::AccuracyVerdict> =
    std::to_array<mpbench::EnumName<mpbench::bench::AccuracyVerdict>>(
        {{mpbench::bench::AccuracyVerdict::non_inferior, "non-inferior"},
         {mpbench::bench::AccuracyVerdict::inferior, "inferior"},
         {mpbench::bench::AccuracyVerdict::inconclusive, "inconclusive"}});

namespace mpbench::bench {

/// One row of comparison.csv: an arm against the baseline of the same configuration. Verdicts are
/// empty where the runs do not carry one; `note` says why.
struct Comparison {
  static constexpr std::string_view last_of_first_version = "note";
  std::string baseline_run;  ///< ids of the runs compared, in pair order, joined by ';'
  std::string arm_run;
  std::string model;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> image_size;
  std::string baseline_precision;
  std::string arm_precision;
  std::optional<double>
      speedup;  ///< arm's images/s over the baseline's, of steps not skipped; above 1 is faster
  std::optional<double> speedup_ci_low;
  std::optional<double> speedup_ci_high;
  std::optional<double> noise_floor;  ///< see noise_floor(); 0.02 is 2 %
  std::optional<SpeedVerdict> speed_verdict;
  std::optional<double> memory_ratio;  ///< arm's peak memory over the baseline's; below 1 saves
  std::optional<ComparedMetric> metric;
  std::optional<double> metric_delta;  ///< arm - baseline; above 0 is better
  std::optional<double> metric_delta_ci_low;
  std::optional<double> metric_delta_ci_high;
  std::optional<double> margin;  ///< the loss that is still non-inferior
  std::optional<AccuracyVerdict> accuracy_verdict;
  std::optional<double> skipped_fraction;  ///< the arm's skipped steps over its steps
  std::string note;
  std::string dataset;
  std::optional<bool> channels_last;
  std::optional<std::uint64_t> seed;  ///< empty where runs of several seeds were pooled
  std::string device_name;
  std::int64_t pairs = 0;  ///< repeats in which both runs are ok
  std::optional<double> confidence;
  std::optional<double> energy_ratio;  ///< arm's joules a step over the baseline's; below 1 saves
};

template <RecordOf<Comparison> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("baseline_run", r.baseline_run);
  visit("arm_run", r.arm_run);
  visit("model", r.model);
  visit("batch_size", r.batch_size);
  visit("image_size", r.image_size);
  visit("baseline_precision", r.baseline_precision);
  visit("arm_precision", r.arm_precision);
  visit("speedup", r.speedup);
  visit("speedup_ci_low", r.speedup_ci_low);
  visit("speedup_ci_high", r.speedup_ci_high);
  visit("noise_floor", r.noise_floor);
  visit("speed_verdict", r.speed_verdict);
  visit("memory_ratio", r.memory_ratio);
  visit("metric", r.metric);
  visit("metric_delta", r.metric_delta);
  visit("metric_delta_ci_low", r.metric_delta_ci_low);
  visit("metric_delta_ci_high", r.metric_delta_ci_high);
  visit("margin", r.margin);
  visit("accuracy_verdict", r.accuracy_verdict);
  visit("skipped_fraction", r.skipped_fraction);
  visit("note", r.note);
  visit("dataset", r.dataset);
  visit("channels_last", r.channels_last);
  visit("seed", r.seed);
  visit("device_name", r.device_name);
  visit("pairs", r.pairs);
  visit("confidence", r.confidence);
  visit("energy_ratio", r.energy_ratio);
}

/// The run's value of a metric; empty where it was not measured.
std::optional<double> value_of(const RunRecord& run, ComparedMetric metric);

/// A run's validation predictions by its id; an empty vector where there are none. Asked once a
/// run.
using PredictionLookup = std::function<std::vector<PredictionRow>(const std::string& run_id)>;

/// One row for every arm of every configuration: runs that agree in everything but precision, seed
/// and repeat. Runs that are not ok are left out and named in the note; an arm with none left gets
/// a row with empty figures. Throws UsageError as validate() does.
std::vector<Comparison> compare_runs(std::span<const RunRecord> runs,
                                     const PredictionLookup& predictions,
                                     const ComparisonOptions& options = {});

/// Rows of one unit (a breast's images) as one row: mean score, `predicted` at 0.5, the largest
/// label. Rows without a unit stay as they are. For two-class sets whose metric is per unit.
std::vector<PredictionRow> mean_by_case(std::span<const PredictionRow> rows);

}  // namespace mpbench::bench

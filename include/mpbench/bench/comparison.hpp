#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/comparison_options.hpp"
#include "mpbench/bench/decision_record.hpp"
#include "mpbench/bench/metric_record.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/bench/session_record.hpp"
#include "mpbench/core/enum_names.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"
#include "mpbench/stats/speed_verdict.hpp"

namespace mpbench::bench {

/// The metric that accuracy is compared by: a column of runs.csv.
enum class ComparedMetric { val_breast_auc, val_auc, val_accuracy };

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::ComparedMetric> =
    std::to_array<mpbench::EnumName<mpbench::bench::ComparedMetric>>(
        {{mpbench::bench::ComparedMetric::val_breast_auc, "val_breast_auc"},
         {mpbench::bench::ComparedMetric::val_auc, "val_auc"},
         {mpbench::bench::ComparedMetric::val_accuracy, "val_accuracy"}});
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
  std::optional<ArmKind> arm_kind;  ///< arm, or null
  std::int64_t sessions = 0;        ///< in which both came through
  std::int64_t rounds = 0;          ///< of all sessions together
  std::optional<double>
      speedup;  ///< arm's images/s over the baseline's, of steps not skipped; above 1 is faster
  std::optional<double> speedup_ci_low;
  std::optional<double> speedup_ci_high;
  std::optional<double> process_sd;         ///< of the log of the speed of one process
  std::optional<double> detectable_effect;  ///< found in 80 % of comparisons like this; 0.02: 2 %
  std::optional<stats::SpeedVerdict> speed_verdict;
  std::optional<double> memory_ratio;  ///< arm's peak memory over the baseline's; below 1 saves
  std::optional<ComparedMetric> metric;
  std::optional<double> metric_delta;  ///< arm - baseline; above 0 is better
  std::optional<double> metric_delta_ci_low;
  std::optional<double> metric_delta_ci_high;
  std::optional<double> margin;  ///< the loss that is still non-inferior
  std::optional<stats::AccuracyVerdict> accuracy_verdict;
  std::optional<double> skipped_fraction;  ///< the arm's skipped steps over its steps
  std::string note;
  std::string dataset;
  std::optional<bool> channels_last;
  std::optional<std::uint64_t> seed;  ///< empty where runs of several seeds were pooled
  std::string device_name;
  std::int64_t pairs = 0;  ///< repeats in which both runs are ok
  std::optional<double> confidence;
  std::optional<double> energy_ratio;  ///< arm's joules a step over the baseline's; below 1 saves
  std::string configuration;
  std::string compared_with;  ///< the baseline's name, or that of the rung below
  std::string arm;
  std::optional<double> compute_speedup;  ///< the same without what the steps waited for data
  std::optional<double> compute_speedup_ci_low;
  std::optional<double> compute_speedup_ci_high;
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
  visit("arm_kind", r.arm_kind);
  visit("sessions", r.sessions);
  visit("rounds", r.rounds);
  visit("speedup", r.speedup);
  visit("speedup_ci_low", r.speedup_ci_low);
  visit("speedup_ci_high", r.speedup_ci_high);
  visit("process_sd", r.process_sd);
  visit("detectable_effect", r.detectable_effect);
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
  visit("configuration", r.configuration);
  visit("compared_with", r.compared_with);
  visit("arm", r.arm);
  visit("compute_speedup", r.compute_speedup);
  visit("compute_speedup_ci_low", r.compute_speedup_ci_low);
  visit("compute_speedup_ci_high", r.compute_speedup_ci_high);
}

/// A row of all folds together, which has a metric, and no speed.
inline bool is_over_folds(const Comparison& row) {
  return row.sessions == 0 && row.pairs == 0 && row.metric_delta.has_value();
}

/// The remarks that a `note` is made of, without empty ones.
std::vector<std::string> remarks_of(const std::string& note);

/// The run's value of a metric; empty where it was not measured.
std::optional<double> value_of(const RunRecord& run, ComparedMetric metric);

/// A run's validation predictions by its id; an empty vector where there are none. Asked once a
/// run.
using PredictionLookup = std::function<std::vector<PredictionRow>(const std::string& run_id)>;

/// What a comparison has measured.
struct Measurements {
  std::vector<RunRecord> runs;
  std::vector<BlockRecord> blocks;  ///< of its sessions; without any, the runs are the sessions
  std::vector<SessionRecord> sessions{};  ///< what the machine did in them, as far as is known
};

/// What comes of it, a vector a CSV file.
struct ComparisonTables {
  std::vector<Comparison> comparisons;
  std::vector<MetricRecord> metrics;
  std::vector<DecisionRecord> decisions;
  std::vector<FlipRecord> flips;
};

/// One comparison for every arm of every configuration, the null arm included. Runs that know no
/// configuration, those of earlier versions and of single trainings, make one where they agree in
/// everything but precision, seed and repeat. Runs that are not ok are left out and named in the
/// note; an arm with none left gets a row with empty figures. Throws UsageError as validate() does.
ComparisonTables compare_runs(const Measurements& measured, const PredictionLookup& predictions,
                              const ComparisonOptions& options = {});

/// Rows of one unit (a breast's images) as one row: mean score, `predicted` at 0.5, the largest
/// label. Rows without a unit stay as they are. For two-class sets whose metric is per unit.
std::vector<PredictionRow> mean_by_case(std::span<const PredictionRow> rows);

}  // namespace mpbench::bench

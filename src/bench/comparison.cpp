#include "mpbench/bench/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "decision_flips.hpp"
#include "fold_comparison.hpp"
#include "metric_difference.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/stats/statistics.hpp"
#include "run_groups.hpp"
#include "session/machine_notes.hpp"
#include "speed_comparison.hpp"

namespace mpbench::bench {
namespace {

/// Above this share of skipped steps the run hardly trained.
constexpr double dominating_skips = 0.5;
constexpr double notable_skips = 0.1;
/// With fewer, a wide margin's error rate is above its nominal one (docs/method.md).
constexpr int few_positives = 40;
constexpr double wide_margin = 0.03;

std::string join_ids(const std::vector<const RunRecord*>& runs) {
  std::string ids;
  for (const RunRecord* run : runs) ids += (ids.empty() ? "" : ";") + run->run_id;
  return ids;
}

std::optional<double> positive(const std::optional<double>& value) {
  return value && std::isfinite(*value) && *value > 0 ? value : std::nullopt;
}

/// Skipped steps over steps; empty where there is no gradient scaler.
std::optional<double> skipped_fraction(const std::vector<Pair>& pairs,
                                       const RunRecord* Pair::*side) {
  std::int64_t skipped = 0;
  std::int64_t steps = 0;
  for (const Pair& pair : pairs) {
    const RunRecord& run = *(pair.*side);
    if (!run.skipped_steps || run.steps.value_or(0) <= 0) return std::nullopt;
    skipped += *run.skipped_steps;
    steps += *run.steps;
  }
  if (steps == 0) return std::nullopt;
  return static_cast<double>(skipped) / static_cast<double>(steps);
}

/// Whether either side hardly trained.
bool skips_dominate(const Pairing& pairing, const Comparison& row) {
  const auto baseline = skipped_fraction(pairing.pairs, &Pair::baseline);
  return row.skipped_fraction.value_or(0) > dominating_skips ||
         baseline.value_or(0) > dominating_skips;
}

/// Images/s of the steps that updated the weights: a skipped step is cheaper than a real one and is
/// no training.
std::optional<double> useful_images_per_s(const RunRecord& run) {
  const auto speed = positive(run.images_per_s);
  if (!speed || !run.skipped_steps || run.steps.value_or(0) <= 0) return speed;
  const auto steps = static_cast<double>(*run.steps);
  return positive(*speed * (steps - static_cast<double>(*run.skipped_steps)) / steps);
}

void note_missing_speed(const RunRecord& run, Notes& notes) {
  if (!positive(run.images_per_s)) {
    notes.add(fmt::format("{} has no images_per_s", run.run_id));
  } else if (!useful_images_per_s(run)) {
    notes.add(fmt::format("every step of {} was skipped: it has no speed", run.run_id));
  }
}

/// The pairs of runs as sessions of one round each, where there were no sessions.
SessionValues values_of_pairs(const Pairing& pairing, const GroupArm& arm, Notes& notes) {
  SessionValues values{.arm = arm.name,
                       .compared_with = arm.compared_with,
                       .kind = arm.kind,
                       .sessions = {},
                       .values = {},
                       .compute_values = {}};
  for (const Pair& pair : pairing.pairs) {
    const auto baseline_speed = useful_images_per_s(*pair.baseline);
    const auto arm_speed = useful_images_per_s(*pair.arm);
    if (!baseline_speed || !arm_speed) {
      for (const RunRecord* run : {pair.baseline, pair.arm}) note_missing_speed(*run, notes);
      continue;
    }
    values.sessions.push_back(pair.arm->repeat.value_or(0));
    values.values.push_back(std::log(*arm_speed / *baseline_speed));
    ++values.rounds;
  }
  return values;
}

/// What was measured of the arm against that one; nothing where no session has it.
SpeedComparison* find_speed(std::vector<SpeedComparison>& speeds, const std::string& arm,
                            const std::string& compared_with) {
  const auto found = std::find_if(speeds.begin(), speeds.end(), [&](const SpeedComparison& speed) {
    return speed.sessions.arm == arm && speed.sessions.compared_with == compared_with;
  });
  return found == speeds.end() ? nullptr : &*found;
}

/// Fills the speed-up, its interval and the verdict.
void fill_speed(const SpeedComparison& speed, const Pairing& pairing, Comparison& row,
                Notes& notes) {
  row.sessions = static_cast<std::int64_t>(speed.sessions.values.size());
  row.rounds = speed.sessions.rounds;
  row.process_sd = speed.process_sd;
  row.detectable_effect = speed.detectable_effect;
  if (speed.mean) row.speedup = std::exp(*speed.mean);
  if (speed.interval) {
    row.speedup_ci_low = std::exp(speed.interval->low);
    row.speedup_ci_high = std::exp(speed.interval->high);
  }
  if (speed.compute) {
    row.compute_speedup = std::exp(speed.compute->mean);
    row.compute_speedup_ci_low = std::exp(speed.compute->low);
    row.compute_speedup_ci_high = std::exp(speed.compute->high);
  }
  for (const std::string& note : speed.notes) notes.add(note);
  if (skips_dominate(pairing, row)) {
    notes.add("skipped steps dominate: the speed is not that of training");
  } else {
    row.speed_verdict = speed.verdict;
  }
}

/// The median over the pairs of the arm's figure over the baseline's; empty when a run lacks it.
template <class Figure>
std::optional<double> median_ratio(const std::vector<Pair>& pairs, const Figure& figure) {
  std::vector<double> ratios;
  for (const Pair& pair : pairs) {
    const std::optional<double> baseline = positive(figure(*pair.baseline));
    const std::optional<double> arm = positive(figure(*pair.arm));
    if (!baseline || !arm) return std::nullopt;
    ratios.push_back(*arm / *baseline);
  }
  if (ratios.empty()) return std::nullopt;
  return stats::median(ratios);
}

std::optional<double> memory_ratio(const std::vector<Pair>& pairs) {
  const auto ratio =
      median_ratio(pairs, [](const RunRecord& run) { return run.peak_device_bytes; });
  return ratio ? ratio
               : median_ratio(pairs, [](const RunRecord& run) { return run.peak_rss_bytes; });
}

/// Of the GPU's own energy where it computed, else of the processor packages'.
std::optional<double> energy_ratio(const std::vector<Pair>& pairs) {
  return median_ratio(pairs, [](const RunRecord& run) -> std::optional<double> {
    const auto joules = run.device.starts_with("cuda") ? run.device_energy_j : run.energy_j;
    if (!joules || run.steps.value_or(0) <= 0) return std::nullopt;
    return *joules / static_cast<double>(*run.steps);
  });
}

/// What keeps the runs from being the same work on the same ground.
void note_conditions(const Pairing& pairing, Comparison& row, Notes& notes) {
  for (const Pair& pair : pairing.pairs) {
    for (const RunRecord* run : {pair.baseline, pair.arm}) {
      if (!run->build_type.empty() && run->build_type != "Release") {
        notes.add(fmt::format("{} build: the timings mean little", run->build_type));
      }
    }
    if (pair.baseline->git_commit != pair.arm->git_commit) {
      notes.add("the runs come from different commits");
    }
    if (pair.baseline->torch_version != pair.arm->torch_version) {
      notes.add("the runs used different LibTorch versions");
    }
    notes.add(pair.baseline->note);
    notes.add(pair.arm->note);
  }
  const double skipped = row.skipped_fraction.value_or(0);
  if (skipped > notable_skips) {
    notes.add(fmt::format(
        "{:.0f} % of the steps were skipped; their images do not count as trained", 100 * skipped));
  }
}

/// Of trainings: a run for its speed alone has as many steps as there was time for.
bool step_counts_differ(const Pairing& pairing) {
  return std::any_of(pairing.pairs.begin(), pairing.pairs.end(), [](const Pair& pair) {
    return is_validated(*pair.baseline) && is_validated(*pair.arm) &&
           pair.baseline->steps != pair.arm->steps;
  });
}

/// What the interval alone says.
stats::AccuracyVerdict verdict_of(const AccuracyComparison& accuracy, double margin, Notes& notes) {
  // A margin of 0 is one that no loss is within.
  const double loss = std::max(margin, std::numeric_limits<double>::min());
  if (accuracy.difference) {
    if (stats::worse_within_margin(*accuracy.difference, loss, true)) {
      notes.add("the metric is worse, within the margin");
    }
    const bool of_ranks = accuracy.metric != ComparedMetric::val_accuracy;
    if (of_ranks && accuracy.difference->positive_patients < few_positives &&
        margin >= wide_margin) {
      notes.add(fmt::format(
          "{} positive patients and a margin of {:g}: a verdict on accuracy errs in up to 7 %, not "
          "2.5 %",
          accuracy.difference->positive_patients, margin));
    }
    return stats::accuracy_verdict(*accuracy.difference, loss, true);
  }
  // Without predictions the number of patients is not known.
  return stats::AccuracyVerdict::inconclusive;
}

/// Fills the accuracy verdict from the interval, from what it rests on, and from how the runs
/// ended.
void compute_accuracy_verdict(const Pairing& pairing, double margin,
                              const AccuracyComparison& accuracy, Comparison& row, Notes& notes) {
  if (row.metric_delta) {
    row.accuracy_verdict = verdict_of(accuracy, margin, notes);
    if (!accuracy.lacking.empty()) {
      row.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
      notes.add(accuracy.lacking);
    }
  }
  const bool no_worse = row.accuracy_verdict == stats::AccuracyVerdict::non_inferior ||
                        row.accuracy_verdict == stats::AccuracyVerdict::equivalent;
  if (row.metric_delta && step_counts_differ(pairing)) {
    notes.add("step counts differ: the metric compares unequal training");
    row.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
  } else if (no_worse && skips_dominate(pairing, row)) {
    row.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
  }
  // The runs that got through are a biased sample of all runs.
  if (pairing.arm_diverged > 0 && pairing.pairs.empty() && pairing.baseline_ok) {
    row.accuracy_verdict = stats::AccuracyVerdict::inferior;
    notes.add("every run of the arm diverged or ended without a result");
  } else if (pairing.arm_diverged > 0 && no_worse) {
    row.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
  }
}

/// One arm of a group against what it is compared with.
struct ArmComparison {
  GroupArm arm;
  Pairing pairing;
  Notes notes;
  bool speeds_missing = false;  ///< of some of the pairs
};

template <class Row>
void append(std::vector<Row> rows, std::vector<Row>& all) {
  std::move(rows.begin(), rows.end(), std::back_inserter(all));
}

void compare_arm(const RunGroup& group, ArmComparison& compared, const SpeedComparison* speed,
                 PredictionStore& predictions, const ComparisonOptions& options,
                 ComparisonTables& tables) {
  auto& [arm, pairing, notes, speeds_missing] = compared;
  Comparison row;
  row.baseline_run = join_ids(pairing.baseline_runs);
  row.arm_run = join_ids(pairing.arm_runs);
  row.model = group.identity.model;
  row.batch_size = group.identity.batch_size;
  row.image_size = group.identity.image_size;
  row.baseline_precision =
      pairing.baseline_runs.empty() ? arm.compared_with : pairing.baseline_runs.front()->precision;
  row.arm_precision = arm.precision;
  row.arm_kind = arm.kind;
  row.dataset = group.identity.dataset;
  row.channels_last = group.identity.channels_last;
  row.seed = group.seed();
  row.device_name = group.identity.device_name;
  row.configuration = group.identity.configuration;
  row.compared_with = arm.compared_with;
  row.arm = arm.name;
  row.pairs = static_cast<std::int64_t>(pairing.pairs.size());
  row.confidence = options.confidence;
  row.skipped_fraction = skipped_fraction(pairing.pairs, &Pair::arm);
  if (speed != nullptr) fill_speed(*speed, pairing, row, notes);
  if (speeds_missing) {
    notes.add("no speed verdict: the pairs that have a speed do not speak for the others");
    row.speed_verdict.reset();
  }
  row.memory_ratio = memory_ratio(pairing.pairs);
  row.energy_ratio = energy_ratio(pairing.pairs);
  AccuracyComparison accuracy =
      compare_accuracy(group, arm, pairing.pairs, predictions, options, notes);
  row.metric = accuracy.metric;
  if (accuracy.delta) {
    row.metric_delta = accuracy.delta->value;
    row.metric_delta_ci_low = accuracy.delta->low;
    row.metric_delta_ci_high = accuracy.delta->high;
  }
  row.margin = options.margin;
  compute_accuracy_verdict(pairing, options.margin, accuracy, row, notes);
  note_conditions(pairing, row, notes);
  row.note = notes.text();
  tables.comparisons.push_back(std::move(row));
  DecisionFlips decisions = decision_flips(group, arm, pairing.pairs, predictions);
  append(std::move(accuracy.metrics), tables.metrics);
  append(std::move(decisions.repeats), tables.decisions);
  append(std::move(decisions.flips), tables.flips);
}

/// What is compared with what in a group: each arm, and the last rung of a ladder once more, with
/// the baseline.
std::vector<ArmComparison> pair_arms(const RunGroup& group, const ComparisonOptions& options) {
  std::vector<ArmComparison> compared;
  std::string baseline;
  std::optional<GroupArm> last_rung;
  for (const GroupArm& arm : group.arms(options.baseline_precision)) {
    if (arm.kind == ArmKind::baseline) {
      baseline = arm.name;
      continue;
    }
    if (baseline.empty()) baseline = arm.compared_with;
    if (arm.kind == ArmKind::arm && arm.compared_with != baseline) last_rung = arm;
    compared.push_back({.arm = arm});
  }
  if (last_rung) {
    last_rung->compared_with = baseline;
    compared.push_back({.arm = *last_rung});
  }
  for (ArmComparison& each : compared) {
    each.pairing = pair_runs(group, each.arm.compared_with, each.arm.name, each.notes);
  }
  return compared;
}

void compare_group(const RunGroup& group, const Measurements& all, PredictionStore& predictions,
                   const ComparisonOptions& options, ComparisonTables& tables) {
  std::vector<ArmComparison> compared = pair_arms(group, options);
  const std::vector<BlockRecord> blocks = those_of(all.blocks, group.identity.configuration);
  const std::vector<std::string> disturbances =
      machine_notes(those_of(all.sessions, group.identity.configuration), blocks);
  std::vector<SessionValues> values;
  if (blocks.empty()) {
    for (ArmComparison& each : compared) {
      values.push_back(values_of_pairs(each.pairing, each.arm, each.notes));
      each.speeds_missing = values.back().values.size() < each.pairing.pairs.size();
    }
  } else {
    values = session_values(blocks);
  }
  SpeedOptions how = options.speed;
  if (blocks.empty()) how.looks = {2};  // whole runs are looked at once, at their end
  std::vector<SpeedComparison> speeds = compare_speed(std::move(values), how);
  for (ArmComparison& each : compared) {
    for (const std::string& remark : disturbances) each.notes.add(remark);
    compare_arm(group, each, find_speed(speeds, each.arm.name, each.arm.compared_with), predictions,
                options, tables);
  }
}

}  // namespace

ComparisonTables compare_runs(const Measurements& measured, const PredictionLookup& predictions,
                              const ComparisonOptions& options) {
  validate(options);
  PredictionStore store(predictions);
  ComparisonTables tables;
  for (const RunGroup& group : group_runs(measured.runs)) {
    compare_group(group, measured, store, options, tables);
  }
  if (options.folds > 1) {
    append(compare_over_folds(tables.comparisons, tables.metrics, options.folds, options),
           tables.comparisons);
  }
  return tables;
}

}  // namespace mpbench::bench

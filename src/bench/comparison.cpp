#include "mpbench/bench/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "metric_difference.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/stats/statistics.hpp"
#include "run_groups.hpp"

namespace mpbench::bench {
namespace {

/// Above this share of skipped steps the run hardly trained.
constexpr double dominating_skips = 0.5;
constexpr double notable_skips = 0.1;

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

/// Fills speedup, its interval, the noise floor and the verdict.
void compare_speed(const Pairing& pairing, double confidence, Comparison& row, Notes& notes) {
  std::vector<double> repeats;
  for (const RunRecord* run : pairing.baseline_ok) {
    if (const auto speed = useful_images_per_s(*run)) repeats.push_back(*speed);
  }
  row.noise_floor = stats::noise_floor(repeats);

  std::vector<double> baseline;
  std::vector<double> arm;
  bool complete = true;
  for (const Pair& pair : pairing.pairs) {
    const auto baseline_speed = useful_images_per_s(*pair.baseline);
    const auto arm_speed = useful_images_per_s(*pair.arm);
    if (!baseline_speed || !arm_speed) {
      complete = false;
      for (const RunRecord* run : {pair.baseline, pair.arm}) note_missing_speed(*run, notes);
      continue;
    }
    baseline.push_back(*baseline_speed);
    arm.push_back(*arm_speed);
  }
  if (baseline.empty()) return;
  const stats::Estimate speedup = stats::ratio_interval(arm, baseline, confidence);
  row.speedup = speedup.value;
  row.speedup_ci_low = speedup.low;
  row.speedup_ci_high = speedup.high;
  if (!speedup.has_interval() || !row.noise_floor) {
    notes.add("one pair of repeats: no interval and no speed verdict");
  } else if (!complete) {
    notes.add("no speed verdict: the pairs that have a speed do not speak for the others");
  } else if (skips_dominate(pairing, row)) {
    notes.add("skipped steps dominate: the speed is not that of training");
  } else if (*speedup.low > 1 + *row.noise_floor) {
    row.speed_verdict = SpeedVerdict::faster;
  } else if (*speedup.high < 1 / (1 + *row.noise_floor)) {
    row.speed_verdict = SpeedVerdict::slower;
  } else {
    row.speed_verdict = SpeedVerdict::indistinguishable;
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

bool step_counts_differ(const Pairing& pairing) {
  return std::any_of(pairing.pairs.begin(), pairing.pairs.end(),
                     [](const Pair& pair) { return pair.baseline->steps != pair.arm->steps; });
}

/// Fills the accuracy verdict from the interval, from what it rests on, and from how the runs
/// ended.
void compute_accuracy_verdict(const Pairing& pairing, double margin, const std::string& lacking,
                              Comparison& row, Notes& notes) {
  if (row.metric_delta) {
    row.accuracy_verdict = AccuracyVerdict::inconclusive;
    if (row.metric_delta_ci_low && *row.metric_delta_ci_low > -margin) {
      row.accuracy_verdict = AccuracyVerdict::non_inferior;
    }
    if (row.metric_delta_ci_high && *row.metric_delta_ci_high < -margin) {
      row.accuracy_verdict = AccuracyVerdict::inferior;
    }
    if (!lacking.empty()) {
      row.accuracy_verdict = AccuracyVerdict::inconclusive;
      notes.add(lacking);
    }
  }
  const bool non_inferior = row.accuracy_verdict == AccuracyVerdict::non_inferior;
  if (step_counts_differ(pairing)) {
    notes.add("step counts differ: the metric compares unequal training");
    if (row.metric_delta) row.accuracy_verdict = AccuracyVerdict::inconclusive;
  } else if (non_inferior && skips_dominate(pairing, row)) {
    row.accuracy_verdict = AccuracyVerdict::inconclusive;
  }
  // The runs that got through are a biased sample of all runs.
  if (pairing.arm_diverged > 0 && pairing.pairs.empty() && !pairing.baseline_ok.empty()) {
    row.accuracy_verdict = AccuracyVerdict::inferior;
    notes.add("every run of the arm diverged or ended without a result");
  } else if (pairing.arm_diverged > 0 && non_inferior) {
    row.accuracy_verdict = AccuracyVerdict::inconclusive;
  }
}

Comparison compare_arm(const RunGroup& group, const std::string& arm, PredictionStore& predictions,
                       const ComparisonOptions& options) {
  Notes notes;
  const Pairing pairing = pair_runs(group, options.baseline_precision, arm, notes);
  Comparison row;
  row.baseline_run = join_ids(pairing.baseline_runs);
  row.arm_run = join_ids(pairing.arm_runs);
  row.model = group.identity.model;
  row.batch_size = group.identity.batch_size;
  row.image_size = group.identity.image_size;
  row.baseline_precision = options.baseline_precision;
  row.arm_precision = arm;
  row.dataset = group.identity.dataset;
  row.channels_last = group.identity.channels_last;
  row.seed = group.seed();
  row.device_name = group.identity.device_name;
  row.pairs = static_cast<std::int64_t>(pairing.pairs.size());
  row.confidence = options.confidence;
  row.skipped_fraction = skipped_fraction(pairing.pairs, &Pair::arm);
  compare_speed(pairing, options.confidence, row, notes);
  row.memory_ratio = memory_ratio(pairing.pairs);
  row.energy_ratio = energy_ratio(pairing.pairs);
  const MetricDifference difference = metric_difference(pairing.pairs, predictions, options, notes);
  row.metric = difference.metric;
  if (difference.delta) {
    row.metric_delta = difference.delta->value;
    row.metric_delta_ci_low = difference.delta->low;
    row.metric_delta_ci_high = difference.delta->high;
  }
  row.margin = options.margin;
  compute_accuracy_verdict(pairing, options.margin, difference.lacking, row, notes);
  note_conditions(pairing, row, notes);
  row.note = notes.text();
  return row;
}

}  // namespace

std::vector<Comparison> compare_runs(std::span<const RunRecord> runs,
                                     const PredictionLookup& predictions,
                                     const ComparisonOptions& options) {
  validate(options);
  PredictionStore store(predictions);
  std::vector<Comparison> rows;
  for (const RunGroup& group : group_runs(runs)) {
    for (const std::string& arm : group.precisions()) {
      if (arm == options.baseline_precision) continue;
      rows.push_back(compare_arm(group, arm, store, options));
    }
  }
  return rows;
}

}  // namespace mpbench::bench

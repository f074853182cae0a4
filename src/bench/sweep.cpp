#include "mpbench/bench/sweep.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::bench {
namespace {

/// Whether an earlier, unfinished sweep has finished this run with the same options.
bool is_done(const std::vector<RunOutput>& runs, const RunSpec& spec,
             const std::string& config_hash) {
  return std::any_of(runs.begin(), runs.end(), [&](const RunOutput& output) {
    return output.run.run_id == spec.run_id && output.run.status == RunStatus::ok &&
           output.run.config_hash == config_hash;
  });
}

void replace(std::vector<RunOutput>& runs, RunOutput output) {
  std::erase_if(runs, [&](const RunOutput& old) { return old.run.run_id == output.run.run_id; });
  runs.push_back(std::move(output));
}

/// How far a sweep has come, and how fast.
struct Pace {
  std::size_t place = 0;      ///< in the plan
  std::int64_t measured = 0;  ///< runs done here, not taken over
  Stopwatch clock;

  double seconds_a_run() const { return clock.seconds() / static_cast<double>(measured); }
};

/// Whether the next run begins a round of repeats that, at the rate so far, would end after the
/// time that there is. The first round is always done: without it there is nothing to compare.
bool begins_late_round(const std::vector<RunSpec>& plan, const Pace& pace, double max_time_s) {
  if (max_time_s <= 0 || pace.place == 0 || pace.measured == 0) return false;
  const int repeat = plan[pace.place].repeat;
  if (repeat == plan[pace.place - 1].repeat) return false;
  const auto in_round = std::count_if(plan.begin(), plan.end(),
                                      [&](const RunSpec& other) { return other.repeat == repeat; });
  // A tenth more than was asked for is better than a round less.
  return pace.clock.seconds() + pace.seconds_a_run() * static_cast<double>(in_round) >
         1.1 * max_time_s;
}

void report_next(const std::vector<RunSpec>& plan, const Pace& pace, const SweepOptions& options) {
  if (!options.progress) return;
  const double expected =
      options.expected_s > 0 ? static_cast<double>(plan.size()) / options.expected_s : 0;
  options.progress({.label = "compare",
                    .done = static_cast<std::int64_t>(pace.place),
                    .total = static_cast<std::int64_t>(plan.size()),
                    .units_per_s = pace.measured > 0 ? 1 / pace.seconds_a_run() : expected,
                    .unit = "runs",
                    .detail = plan[pace.place].run_id});
}

void log_result(const RunRecord& run, std::size_t finished, std::size_t total,
                const std::filesystem::path& out) {
  if (run.status != RunStatus::ok) {
    spdlog::warn("run {}/{} {}: {}: {}", finished, total, run.run_id, enum_name(run.status),
                 run.error);
    if (run.status != RunStatus::interrupted) {
      spdlog::info("repeat it alone with: mpbench train --config {}",
                   (out / "runs" / run.run_id / "run.toml").string());
    }
    return;
  }
  std::string line =
      fmt::format("run {}/{} {}: {:.1f} images/s, {:.1f} ms a step", finished, total, run.run_id,
                  run.images_per_s.value_or(0), run.step_ms_median.value_or(0));
  if (run.val_auc) {
    line += fmt::format(", AUC {:.4f}", *run.val_auc);
  } else if (run.val_accuracy) {
    line += fmt::format(", accuracy {:.4f}", *run.val_accuracy);
  }
  spdlog::info("{}", line);
}

}  // namespace

std::vector<RunOutput> run_sweep(const std::vector<RunSpec>& plan, Executor& executor,
                                 const ConfigHash& hash_of, const SweepOptions& options) {
  std::vector<RunOutput> runs = read_runs(options.out);
  for (Pace pace; pace.place < plan.size(); ++pace.place) {
    const RunSpec& spec = plan[pace.place];
    if (interrupt_requested()) break;
    if (begins_late_round(plan, pace, options.max_time_s)) {
      spdlog::warn("stopped after {} of {} runs: another round would not end in --max-time {}",
                   pace.place, plan.size(), format_duration(options.max_time_s));
      break;
    }
    if (options.resume && is_done(runs, spec, hash_of(spec.config))) {
      spdlog::info("{} is done already", spec.run_id);
      continue;
    }
    report_next(plan, pace, options);
    RunOutput output = executor.execute(spec);
    ++pace.measured;
    log_result(output.run, pace.place + 1, plan.size(), options.out);
    replace(runs, std::move(output));
    write_runs(options.out, runs);
    // They are on disk: what is kept here would be written again after every later run.
    runs.back().predictions.clear();
  }
  return runs;
}

}  // namespace mpbench::bench

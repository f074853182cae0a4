#include "mpbench/bench/fitted_steps.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "session/block_plan.hpp"
#include "time_budget.hpp"

namespace mpbench::bench {
namespace {

constexpr std::int64_t trial_steps = 6;
constexpr std::int64_t least_steps = 2;
// The rest is for what varies from run to run.
constexpr double share_planned = 0.9;
/// Of the time, for sessions of speed alone, at most: trainings are what the rest is for.
constexpr double share_of_sessions = 0.5;
constexpr int fewest_rounds = 6;

/// What a run of this arm costs; nothing where the trial failed, as the runs themselves will.
std::optional<RunCost> measure_cost(RunSpec spec, Executor& trials) {
  train::TrainConfig& config = spec.config;
  config.steps = trial_steps;
  const Stopwatch clock;
  const RunRecord run = trials.execute(spec).run;
  if (run.status == RunStatus::interrupted || interrupt_requested()) throw Interrupted();
  if (run.status != RunStatus::ok || !run.step_ms_median) return std::nullopt;
  const double step_s = *run.step_ms_median / 1e3;
  const std::int64_t images_a_step = std::int64_t{config.batch_size} * config.accumulate;
  const auto batches =
      static_cast<double>(run.n_val.value_or(0)) / static_cast<double>(config.batch_size);
  return RunCost{
      .fixed_s = std::max(0.0, clock.seconds() - static_cast<double>(trial_steps) * step_s),
      .step_s = step_s,
      // The forward pass alone takes about a third of a step.
      .validation_s = batches * step_s / config.accumulate / 2,
      .steps_per_epoch = std::max<std::int64_t>(1, run.n_train.value_or(0) / images_a_step)};
}

/// What the processes of a comparison cost: those that came through a trial.
struct Costs {
  std::vector<RunCost> runs;     ///< of one repeat of all configurations, the null arms included
  double session_s = 0;          ///< a session of each configuration, for speed alone
  std::int64_t steps_asked = 0;  ///< of a training; the fewest
};

Costs measure_costs(const Grid& grid, const std::vector<Configuration>& plan, Executor& trials) {
  Costs costs;
  for (const Configuration& configuration : plan) {
    std::vector<double> step_s;
    std::optional<RunCost> baseline;
    for (const Arm& arm : configuration.arms) {
      std::optional<RunCost> cost = baseline;
      if (arm.kind != ArmKind::null) {
        spdlog::info("measuring a step of {}", arm.id);
        cost = measure_cost(make_run(grid, arm, 1), trials);
      }
      if (arm.kind == ArmKind::baseline) baseline = cost;
      if (!cost) continue;
      costs.runs.push_back(*cost);
      costs.session_s += cost->fixed_s;
      step_s.push_back(std::max(cost->step_s, 1e-6));
      const train::TrainConfig& config = arm.config;
      const std::int64_t asked =
          config.steps > 0 ? config.steps : config.epochs * cost->steps_per_epoch;
      costs.steps_asked = costs.steps_asked == 0 ? asked : std::min(costs.steps_asked, asked);
    }
    if (step_s.empty()) continue;
    costs.session_s += block_seconds(plan_blocks(step_s, {.rounds = fewest_rounds}), step_s);
  }
  return costs;
}

double training_seconds(const Costs& costs, int repeats, std::int64_t steps) {
  double seconds = 0;
  for (const RunCost& run : costs.runs) seconds += run_seconds(run, steps);
  return seconds * repeats;
}

double session_seconds(const Costs& costs, int repeats, int sessions) {
  return costs.session_s * std::max(0, sessions - repeats);
}

}  // namespace

ComparisonEstimate fit_steps(const Grid& grid, const std::vector<Configuration>& plan,
                             Executor& trials, int sessions, double max_time_s) {
  const Stopwatch clock;
  const Costs costs = measure_costs(grid, plan, trials);
  // All fail, each with its reason.
  if (costs.runs.empty()) return {.steps = grid.config.steps};
  const double for_sessions_s = session_seconds(costs, grid.repeats, sessions);
  if (max_time_s <= 0) {
    return {.steps = grid.config.steps,
            .seconds = for_sessions_s + training_seconds(costs, grid.repeats, costs.steps_asked)};
  }
  const double left_s = share_planned * (max_time_s - clock.seconds());
  const double reserved_s = std::min(for_sessions_s, share_of_sessions * left_s);
  ComparisonEstimate estimate{
      .steps = steps_within((left_s - reserved_s) / grid.repeats, costs.runs, costs.steps_asked)};
  const std::int64_t least = std::min(least_steps, costs.steps_asked);
  const std::int64_t shown = std::max(estimate.steps, least);
  estimate.seconds = reserved_s + training_seconds(costs, grid.repeats, shown);
  if (estimate.steps < least) {
    throw UsageError(fmt::format(
        "--max-time {}: {} runs of {} steps take {}; give more time, fewer --repeats, "
        "or --speed-only",
        format_duration(max_time_s), costs.runs.size() * static_cast<std::size_t>(grid.repeats),
        shown, format_duration(estimate.seconds + clock.seconds())));
  }
  return estimate;
}

ComparisonEstimate estimate_sessions(const Grid& grid, const std::vector<Configuration>& plan,
                                     Executor& trials, int sessions) {
  return {.seconds = session_seconds(measure_costs(grid, plan, trials), 0, sessions)};
}

}  // namespace mpbench::bench

#include "mpbench/bench/fitted_steps.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "time_budget.hpp"

namespace mpbench::bench {
namespace {

constexpr std::int64_t trial_steps = 6;
constexpr std::int64_t least_steps = 2;
// The rest is for what varies from run to run.
constexpr double share_planned = 0.9;

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

/// What tells one configuration from another: all but seed and repeat.
std::string configuration_of(const RunSpec& spec) {
  train::TrainConfig config = spec.config;
  config.seed = 0;
  return train::to_toml(config);
}

}  // namespace

FittedSteps fit_steps(const std::vector<RunSpec>& plan, Executor& trials, double max_time_s) {
  const Stopwatch clock;
  std::map<std::string, std::optional<RunCost>> costs;
  std::vector<RunCost> runs;
  std::int64_t most = 0;
  for (const RunSpec& spec : plan) {
    const train::TrainConfig& config = spec.config;
    const auto [cost, is_new] = costs.try_emplace(configuration_of(spec));
    if (is_new) {
      spdlog::info("measuring a step of {} in {}, batch {}", config.model.name,
                   to_string(config.precision), config.batch_size);
      cost->second = measure_cost(spec, trials);
    }
    if (!cost->second) continue;
    runs.push_back(*cost->second);
    const std::int64_t asked =
        config.steps > 0 ? config.steps : config.epochs * cost->second->steps_per_epoch;
    most = most == 0 ? asked : std::min(most, asked);
  }
  if (runs.empty()) return {.steps = plan.front().config.steps};  // all fail, each with its reason

  const double left_s = max_time_s - clock.seconds();
  FittedSteps fitted{.steps = steps_within(share_planned * left_s, runs, most)};
  const std::int64_t shown = std::max(fitted.steps, std::min(least_steps, most));
  for (const RunCost& run : runs) fitted.seconds += run_seconds(run, shown);
  if (fitted.steps < std::min(least_steps, most)) {
    throw UsageError(
        fmt::format("--max-time {}: {} runs of {} steps take {}; give more time, or "
                    "fewer --repeats",
                    format_duration(max_time_s), runs.size(), shown,
                    format_duration(fitted.seconds + clock.seconds())));
  }
  return fitted;
}

}  // namespace mpbench::bench

#include "fitted_steps.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "child_run.hpp"
#include "mpbench/bench/time_budget.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "progress_display.hpp"

namespace mpbench::commands {
namespace {

constexpr std::int64_t trial_steps = 6;
constexpr std::int64_t least_steps = 2;
// The rest is for what varies from run to run.
constexpr double share_planned = 0.9;

/// What a run of this arm costs; nothing where the trial failed, as the runs themselves will.
std::optional<bench::RunCost> measure_cost(const bench::RunSpec& spec, train::TrainConfig config,
                                           const std::filesystem::path& out) {
  config.steps = trial_steps;
  const Stopwatch clock;
  const bench::RunRecord run = run_in_process(spec, config, out).run;
  if (run.status == bench::RunStatus::interrupted || interrupt_requested()) throw Interrupted();
  if (run.status != bench::RunStatus::ok || !run.step_ms_median) return std::nullopt;
  const double step_s = *run.step_ms_median / 1e3;
  const std::int64_t images_a_step = std::int64_t{config.batch_size} * config.accumulate;
  const auto batches =
      static_cast<double>(run.n_val.value_or(0)) / static_cast<double>(config.batch_size);
  return bench::RunCost{
      .fixed_s = std::max(0.0, clock.seconds() - static_cast<double>(trial_steps) * step_s),
      .step_s = step_s,
      // The forward pass alone takes about a third of a step.
      .validation_s = batches * step_s / config.accumulate / 2,
      .steps_per_epoch = std::max<std::int64_t>(1, run.n_train.value_or(0) / images_a_step)};
}

/// What tells one arm from another: all but seed and repeat.
std::string arm_of(const bench::RunSpec& spec) {
  return fmt::format("{} {} {} {} {}", spec.precision, spec.model, spec.batch_size, spec.image_size,
                     spec.channels_last);
}

}  // namespace

FittedSteps fit_steps(const CompareOptions& options, const std::vector<bench::RunSpec>& plan) {
  const Stopwatch clock;
  const auto folder = options.out / "trial";
  std::map<std::string, std::optional<bench::RunCost>> arms;
  std::vector<bench::RunCost> runs;
  std::int64_t most = options.config.steps;
  for (const auto& spec : plan) {
    const auto [arm, is_new] = arms.try_emplace(arm_of(spec));
    if (is_new) {
      spdlog::info("measuring a step of {} in {}, batch {}", spec.model, spec.precision,
                   spec.batch_size);
      arm->second = measure_cost(spec, config_of(spec, options.config), folder);
    }
    if (!arm->second) continue;
    runs.push_back(*arm->second);
    const std::int64_t in_epochs = options.config.epochs * arm->second->steps_per_epoch;
    if (options.config.steps == 0) most = most == 0 ? in_epochs : std::min(most, in_epochs);
  }
  std::filesystem::remove_all(folder);
  if (runs.empty()) return {.steps = options.config.steps};  // all will fail, each with its reason

  const double left_s = options.max_time_s - clock.seconds();
  FittedSteps fitted{.steps = bench::steps_within(share_planned * left_s, runs, most)};
  const std::int64_t shown = std::max(fitted.steps, std::min(least_steps, most));
  for (const bench::RunCost& run : runs) fitted.seconds += bench::run_seconds(run, shown);
  if (fitted.steps < std::min(least_steps, most)) {
    throw UsageError(
        fmt::format("--max-time {}: {} runs of {} steps take {}; give more time, or "
                    "fewer --repeats",
                    format_duration(options.max_time_s), runs.size(), shown,
                    format_duration(fitted.seconds + clock.seconds())));
  }
  return fitted;
}

}  // namespace mpbench::commands

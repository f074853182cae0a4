#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "comparison_folder.hpp"
#include "gate.hpp"
#include "mpbench/bench/accuracy_outlook.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/fitted_steps.hpp"
#include "mpbench/bench/requirement.hpp"
#include "mpbench/bench/resumed_comparison.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/bench/sessions.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/csv_records.hpp"
#include "mpbench/report/markdown.hpp"
#include "mpbench/report/terminal_table.hpp"
#include "mpbench/train/setup.hpp"
#include "out_folder.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

void require_fresh_or_resumed(const CompareOptions& options) {
  const bool has_runs = fs::exists(options.out / "runs.csv");
  if (has_runs && !options.resume) {
    throw UsageError(fmt::format(
        "{} holds a comparison already: add --resume to go on with it, or choose another --out",
        options.out.string()));
  }
  if (options.resume && !has_runs && !fs::exists(options.out / "config.toml")) {
    throw UsageError(fmt::format(
        "--resume: there is no comparison in {} to go on with: check --out, or begin one without "
        "--resume",
        options.out.string()));
  }
}

/// The steps of a training that ended well; 0 where there is none.
std::int64_t steps_of(const std::vector<bench::RunOutput>& runs) {
  for (const auto& output : runs) {
    const bench::RunRecord& run = output.run;
    if (run.status == bench::RunStatus::ok && run.val_loss) return run.steps.value_or(0);
  }
  return 0;
}

/// Chooses how long each training is, where neither --epochs nor --steps say so, and tells how long
/// all takes. What is gone on with keeps the steps that were chosen at its start.
void fit_to_time(CompareOptions& options) {
  std::int64_t& steps = options.grid.config.steps;
  const double limit_s = options.time_limit_s();
  const bool fits = !options.speed_only && limit_s > 0 &&
                    (!options.length_given || options.max_time_s.has_value());
  if (options.resume && fits && steps == 0) steps = steps_of(bench::read_runs(options.out));
  if (options.resume && (steps > 0 || !fits)) return;
  if (!fits && !options.dry_run) return;
  const auto plan = bench::make_plan(options.grid);
  const fs::path folder = options.out / "trial";
  bench::ProcessExecutor trials(folder);
  const int sessions = options.comparison.speed.looks.front();
  const bench::ComparisonEstimate estimate =
      options.speed_only
          ? bench::estimate_sessions(options.grid, plan, trials, sessions)
          : bench::fit_steps(options.grid, plan, trials, sessions, fits ? limit_s : 0);
  fs::remove_all(folder);
  if (fits) steps = estimate.steps;
  const std::string trained =
      options.speed_only ? "speed alone"
      : steps > 0 ? fmt::format("{} trainings of {} steps an arm", options.grid.repeats, steps)
                  : fmt::format("{} trainings of {} epochs an arm", options.grid.repeats,
                                options.grid.config.epochs);
  spdlog::info("{}, {} sessions to begin with: about {}", trained, sessions,
               format_duration(estimate.seconds));
}

/// What would be run, a line each.
void show_plan(const CompareOptions& options) {
  for (const bench::Configuration& configuration : bench::make_plan(options.grid)) {
    fmt::print("{}\n", configuration.name);
    for (const bench::Arm& arm : configuration.arms) {
      fmt::print("  {}: {}{}\n", enum_name(arm.kind), arm.name,
                 arm.compared_with.empty() ? "" : ", compared with " + arm.compared_with);
    }
  }
}

bench::ComparisonTables compare(const CompareOptions& options,
                                const bench::Measurements& measured) {
  bench::ComparisonOptions how = options.comparison;
  how.baseline_precision = options.grid.arms().front();
  how.folds = options.grid.config.split.folds;
  return compare_measurements(options.out, measured, how);
}

/// comparison.csv and report.md, and the table on the terminal. Whether the requirements hold.
bool write_results(const CompareOptions& options, const bench::Measurements& measured) {
  const std::vector<bench::RunRecord>& runs = measured.runs;
  const bench::ComparisonTables tables = compare(options, measured);
  const std::vector<bench::Comparison>& comparisons = tables.comparisons;
  csv::write_records(options.out / "comparison.csv", comparisons);
  if (!options.speed_only) {
    csv::write_records(options.out / "metrics.csv", tables.metrics);
    csv::write_records(options.out / "decisions.csv", tables.decisions);
    csv::write_records(options.out / "flips.csv", tables.flips);
  }
  const std::string markdown = report::summary_markdown(comparisons, runs);
  write_file(options.out / "report.md", markdown);
  fmt::print(stderr, "\n{}\n",
             report::summary_table(comparisons, runs, terminal_width(), terminal_colours()));
  for (const char* name : {"runs.csv", "epochs.csv", "blocks.csv", "sessions.csv", "comparison.csv",
                           "metrics.csv", "decisions.csv", "flips.csv", "report.md"}) {
    if (fs::exists(options.out / name)) fmt::print(stderr, "{}\n", (options.out / name).string());
  }
  const GateReport told{
      .requirements = bench::check_requirements(options.requirements, comparisons, runs),
      .outcomes = bench::arm_outcomes(comparisons, runs),
      .markdown = markdown};
  const bool all_hold = tell_requirements(told.requirements);
  write_gate_files(options.gate, told);
  return all_hold;
}

/// Of the limit, once a step was timed; 0: there is no limit.
double time_left_s(const CompareOptions& options, const Stopwatch& clock) {
  constexpr double shortest_s = 1;
  const double limit_s = options.time_limit_s();
  return limit_s > 0 ? std::max(shortest_s, limit_s - clock.seconds()) : 0;
}

}  // namespace

ExitCode run_compare(const CompareOptions& asked, const SharedOptions& shared) {
  CompareOptions options = asked;
  train::TrainConfig& config = options.grid.config;
  const auto device = train::find_device(config);  // before anything is written
  // Here, so that the runs, their hashes and what resumes them agree.
  config.workers = train::workers_of(config, device);
  bench::make_ladder(options.grid, options.ladder, device.is_cuda(),
                     device::default_mixed_precision(device));
  require_arms(options);
  if (!options.grid.other_program.empty()) {
    options.grid.other_program = bench::find_mpbench(options.grid.other_program);
  }
  std::optional<TemporaryFolder> trials;
  if (options.dry_run) {
    options.out = trials.emplace().path();
  } else {
    options.out = choose_out_folder(options.out, "compare");
    require_fresh_or_resumed(options);
    prepare_gate_files(options.gate);
    make_writable_folder(options.out);
    add_log_file(options.out / "mpbench.log");
  }
  const ProgressFunction progress = make_progress(shared);
  bench::ConfigHashes hashes(progress);
  for (const train::TrainConfig& each : bench::configurations(options.grid)) {
    static_cast<void>(hashes.data_key(each));
  }
  const auto hash_of = [&](const train::TrainConfig& run) { return hashes.hash(run); };
  if (!options.speed_only) {
    const std::string outlook = bench::accuracy_outlook(
        hashes.validation_patients(bench::configurations(options.grid).front()),
        options.grid.repeats, options.comparison.margin, options.comparison.confidence);
    if (!outlook.empty()) spdlog::info("{}", outlook);
  }
  const Stopwatch clock;  // preparing the data takes what it takes
  fit_to_time(options);
  if (options.dry_run) {
    show_plan(options);
    return ExitCode::done;
  }
  const std::vector<bench::Configuration> plan = bench::make_plan(options.grid);
  if (options.resume) {
    bench::require_same_options(options.out, options.grid, plan, hash_of, to_toml(options));
  }
  write_file(options.out / "config.toml", to_toml(options));
  bench::ProcessStarter starter(options.out);
  const bench::Measurements measured =
      bench::run_sessions(options.grid, plan, starter, hash_of,
                          {.out = options.out,
                           .speed_only = options.speed_only,
                           .trainings_end = options.length_given && !options.max_time_s,
                           .max_time_s = time_left_s(options, clock),
                           .together = options.together,
                           .speed = options.comparison.speed,
                           .progress = progress});
  if (measured.runs.empty() && interrupt_requested()) throw Interrupted();
  const bool requirements_hold = write_results(options, measured);
  if (interrupt_requested()) throw Interrupted();
  if (!requirements_hold) return ExitCode::requirement;
  const auto& runs = measured.runs;
  const auto failed = std::count_if(
      runs.begin(), runs.end(), [](const auto& run) { return run.status != bench::RunStatus::ok; });
  if (failed == 0) return ExitCode::done;
  return failed == static_cast<std::ptrdiff_t>(runs.size()) ? ExitCode::error : ExitCode::partial;
}

}  // namespace mpbench::commands

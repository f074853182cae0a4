#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/fitted_steps.hpp"
#include "mpbench/bench/resumed_comparison.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/bench/sweep.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"
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

/// The steps of a run that ended well; 0 where there is none.
std::int64_t steps_of(const std::vector<bench::RunOutput>& runs) {
  for (const auto& output : runs) {
    if (output.run.status == bench::RunStatus::ok) return output.run.steps.value_or(0);
  }
  return 0;
}

/// Chooses the steps of each run, where --max-time asks for it. Returns how long all runs will
/// take; 0 where that is not known.
double choose_steps(CompareOptions& options) {
  std::int64_t& steps = options.grid.config.steps;
  if (options.max_time_s <= 0) return 0;
  // What is gone on with keeps the steps that were chosen at its start.
  if (options.resume && steps == 0) steps = steps_of(bench::read_runs(options.out));
  if (options.resume && steps > 0) return 0;
  const auto plan = bench::make_plan(options.grid);
  const fs::path folder = options.out / "trial";
  bench::ProcessExecutor trials(folder);
  const bench::FittedSteps fitted = bench::fit_steps(plan, trials, options.max_time_s);
  fs::remove_all(folder);
  steps = fitted.steps;
  spdlog::info("{} runs of {} steps each: about {}", plan.size(), fitted.steps,
               format_duration(fitted.seconds));
  return fitted.seconds;
}

std::vector<bench::Comparison> compare(const CompareOptions& options,
                                       const std::vector<bench::RunRecord>& runs) {
  bench::ComparisonOptions how = options.comparison;
  how.baseline_precision = options.grid.arms().front();
  return bench::compare_runs(
      runs, [&](const std::string& run_id) { return bench::read_predictions(options.out, run_id); },
      how);
}

/// comparison.csv and report.md, and the table on the terminal.
void write_results(const CompareOptions& options, const std::vector<bench::RunRecord>& runs) {
  const std::vector<bench::Comparison> comparisons = compare(options, runs);
  csv::write_records(options.out / "comparison.csv", comparisons);
  write_file(options.out / "report.md", report::summary_markdown(comparisons, runs));
  fmt::print(stderr, "\n{}\n",
             report::summary_table(comparisons, runs, terminal_width(), terminal_colours()));
  for (const char* name : {"runs.csv", "epochs.csv", "comparison.csv", "report.md"}) {
    fmt::print(stderr, "{}\n", (options.out / name).string());
  }
}

}  // namespace

ExitCode run_compare(const CompareOptions& asked, const SharedOptions& shared) {
  CompareOptions options = asked;
  train::TrainConfig& config = options.grid.config;
  const auto device = train::find_device(config);  // before anything is written
  // Here, so that the runs, their hashes and what resumes them agree.
  config.workers = train::workers_of(config, device);
  options.out = choose_out_folder(options.out, "compare");
  require_fresh_or_resumed(options);
  make_writable_folder(options.out);
  add_log_file(options.out / "mpbench.log");
  const ProgressFunction progress = make_progress(shared);
  bench::ConfigHashes hashes(progress);
  for (const bench::RunSpec& spec : bench::make_plan(options.grid)) {
    static_cast<void>(hashes.data_key(spec.config));
  }
  const auto hash_of = [&](const train::TrainConfig& run) { return hashes.hash(run); };
  const double expected_s = choose_steps(options);
  const std::vector<bench::RunSpec> plan = bench::make_plan(options.grid);
  if (options.resume) {
    bench::require_same_options(options.out, plan, options.grid, hash_of, to_toml(options));
  }
  write_file(options.out / "config.toml", to_toml(options));
  bench::ProcessExecutor executor(options.out);
  const std::vector<bench::RunOutput> outputs = bench::run_sweep(plan, executor, hash_of,
                                                                 {.out = options.out,
                                                                  .resume = options.resume,
                                                                  .max_time_s = options.max_time_s,
                                                                  .expected_s = expected_s,
                                                                  .progress = progress});
  if (outputs.empty()) throw Interrupted();

  std::vector<bench::RunRecord> runs;
  for (const auto& output : outputs) runs.push_back(output.run);
  write_results(options, runs);
  if (interrupt_requested()) throw Interrupted();
  const auto failed = std::count_if(
      runs.begin(), runs.end(), [](const auto& run) { return run.status != bench::RunStatus::ok; });
  if (failed == 0) return ExitCode::done;
  return failed == static_cast<std::ptrdiff_t>(runs.size()) ? ExitCode::error : ExitCode::partial;
}

}  // namespace mpbench::commands

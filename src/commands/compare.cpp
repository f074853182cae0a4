#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>

#include "child_run.hpp"
#include "fitted_steps.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/report/csv_table.hpp"
#include "mpbench/report/markdown.hpp"
#include "mpbench/report/terminal_table.hpp"
#include "mpbench/stats/metrics.hpp"
#include "mpbench/train/setup.hpp"
#include "progress_display.hpp"
#include "resumed_comparison.hpp"
#include "run_folder.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// Runs of an earlier, unfinished comparison that need not be done again: finished, and of the same
/// configuration.
bool is_done(const std::vector<bench::RunOutput>& runs, const bench::RunSpec& spec,
             const std::string& config_hash) {
  return std::any_of(runs.begin(), runs.end(), [&](const bench::RunOutput& output) {
    return output.run.run_id == spec.run_id && output.run.status == bench::RunStatus::ok &&
           output.run.config_hash == config_hash;
  });
}

/// The steps of a run that ended well; 0 where there is none.
std::int64_t steps_of(const std::vector<bench::RunOutput>& runs) {
  for (const auto& output : runs) {
    if (output.run.status == bench::RunStatus::ok) return output.run.steps.value_or(0);
  }
  return 0;
}

void keep(std::vector<bench::RunOutput>& runs, bench::RunOutput output) {
  std::erase_if(runs,
                [&](const bench::RunOutput& old) { return old.run.run_id == output.run.run_id; });
  runs.push_back(std::move(output));
}

/// Sequential work in units of runs, told to the user as it goes.
class Sweep {
 public:
  Sweep(const CompareOptions& options, const SharedOptions& shared)
      : options_(options), progress_(make_progress(shared)) {}

  void require_same_options(const std::vector<bench::RunSpec>& plan) {
    commands::require_same_options(
        options_.out, read_runs(options_.out), plan,
        [&](const bench::RunSpec& spec) { return config_hash(config_of(spec, options_.config)); },
        to_toml(options_));
  }

  /// `expected_s` is how long all runs will take together; 0 when that is not known.
  std::vector<bench::RunOutput> run(const std::vector<bench::RunSpec>& plan, double expected_s) {
    std::vector<bench::RunOutput> runs = read_runs(options_.out);
    const Stopwatch clock;
    std::int64_t finished = 0;
    std::int64_t measured = 0;
    for (const auto& spec : plan) {
      if (interrupt_requested()) break;
      if (begins_late_round(plan, static_cast<std::size_t>(finished), measured, clock.seconds())) {
        spdlog::warn("stopped after {} of {} runs: another round would not end in --max-time {}",
                     finished, plan.size(), format_duration(options_.max_time_s));
        break;
      }
      const train::TrainConfig config = config_of(spec, options_.config);
      ++finished;
      if (options_.resume && is_done(runs, spec, config_hash(config))) {
        spdlog::info("{} is done already", spec.run_id);
        continue;
      }
      const auto rate_before_any =
          expected_s > 0 ? static_cast<double>(plan.size()) / expected_s : 0;
      tell(spec, finished - 1, plan.size(),
           measured > 0 ? static_cast<double>(measured) / clock.seconds() : rate_before_any);
      bench::RunOutput output = run_in_process(spec, config, options_.out);
      ++measured;
      describe_run(output.run, finished, plan.size());
      keep(runs, std::move(output));
      write_runs(options_.out, runs);
      // They are on disk: what is kept here would be written again after every later run.
      runs.back().predictions.clear();
    }
    return runs;
  }

  /// Makes the caches that the runs will map, so that none of them pays for it, and knows the
  /// data's key.
  void prepare(const std::vector<bench::RunSpec>& plan) {
    for (const auto& spec : plan) static_cast<void>(data_key(config_of(spec, options_.config)));
  }

 private:
  std::string data_key(const train::TrainConfig& config) {
    auto& key = data_keys_[config.image_size];
    if (key.empty()) key = train::open_images(config, progress_).key;
    return key;
  }

  /// Every run begins with the same weights: their file is read once.
  std::string config_hash(const train::TrainConfig& config) {
    if (!weights_digest_) weights_digest_ = train::weights_digest(config);
    return train::config_hash(config, data_key(config), *weights_digest_);
  }

  /// Whether this run begins a round of repeats that, at the rate so far, would end after the time
  /// that there is. The first round is always done: without it there is nothing to compare.
  bool begins_late_round(const std::vector<bench::RunSpec>& plan, std::size_t place,
                         std::int64_t measured, double elapsed_s) const {
    if (options_.max_time_s <= 0 || place == 0 || measured == 0) return false;
    if (plan[place].repeat == plan[place - 1].repeat) return false;
    const auto in_round = std::count_if(plan.begin(), plan.end(), [&](const auto& other) {
      return other.repeat == plan[place].repeat;
    });
    const double seconds_a_run = elapsed_s / static_cast<double>(measured);
    // A tenth more than was asked for is better than a round less.
    return elapsed_s + seconds_a_run * static_cast<double>(in_round) > 1.1 * options_.max_time_s;
  }

  void tell(const bench::RunSpec& spec, std::int64_t done, std::size_t total, double rate) const {
    if (!progress_) return;
    progress_({.label = "compare",
               .done = done,
               .total = static_cast<std::int64_t>(total),
               .units_per_s = rate,
               .unit = "runs",
               .detail = spec.run_id});
  }

  static void describe_run(const bench::RunRecord& run, std::int64_t finished, std::size_t total) {
    if (run.status != bench::RunStatus::ok) {
      spdlog::warn("run {}/{} {}: {}: {}", finished, total, run.run_id, to_string(run.status),
                   run.error);
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

  const CompareOptions& options_;
  ProgressFunction progress_;
  std::map<int, std::string> data_keys_;
  std::optional<std::string> weights_digest_;
};

std::vector<bench::Comparison> compare(const CompareOptions& options,
                                       const std::vector<bench::RunRecord>& runs) {
  bench::ComparisonOptions how = options.comparison;
  how.baseline_precision = options.axes.precision.front();
  how.auc = [](auto scores, auto labels, auto) { return stats::auc(scores, labels); };
  how.accuracy = [](auto, auto labels, auto predicted) {
    return stats::accuracy(predicted, labels);
  };
  return bench::compare_runs(
      runs, [&](const std::string& run_id) { return read_predictions(options.out, run_id); }, how);
}

}  // namespace

ExitCode run_compare(const CompareOptions& asked, const SharedOptions& shared) {
  CompareOptions options = asked;
  const auto device = train::find_device(options.config);  // before anything is written
  // Here, so that the runs, their hashes and what resumes them agree.
  options.config.workers = train::workers_of(options.config, device);
  const std::vector<bench::RunSpec> plan = bench::make_plan(options.axes);
  options.out = choose_out_folder(options.out, "compare");
  if (fs::exists(options.out / "runs.csv") && !options.resume) {
    throw UsageError(fmt::format(
        "{} holds a comparison already: add --resume to go on with it, or choose another --out",
        options.out.string()));
  }
  if (options.resume && !fs::exists(options.out / "runs.csv") &&
      !fs::exists(options.out / "config.toml")) {
    throw UsageError(fmt::format(
        "--resume: there is no comparison in {} to go on with: check --out, or begin one without "
        "--resume",
        options.out.string()));
  }
  make_writable_folder(options.out);
  add_log_file(options.out / "mpbench.log");
  Sweep sweep(options, shared);
  sweep.prepare(plan);
  double expected_s = 0;
  // What is gone on with keeps the steps that were chosen at its start.
  if (options.resume && options.max_time_s > 0 && options.config.steps == 0)
    options.config.steps = steps_of(read_runs(options.out));
  if (options.max_time_s > 0 && !(options.resume && options.config.steps > 0)) {
    const FittedSteps fitted = fit_steps(options, plan);
    options.config.steps = fitted.steps;
    expected_s = fitted.seconds;
    spdlog::info("{} runs of {} steps each: about {}", plan.size(), fitted.steps,
                 format_duration(expected_s));
  }
  if (options.resume) sweep.require_same_options(plan);
  write_file(options.out / "config.toml", to_toml(options));
  const std::vector<bench::RunOutput> outputs = sweep.run(plan, expected_s);
  if (outputs.empty()) throw Interrupted();

  std::vector<bench::RunRecord> runs;
  for (const auto& output : outputs) runs.push_back(output.run);
  const std::vector<bench::Comparison> comparisons = compare(options, runs);
  report::write_csv(options.out / "comparison.csv", comparisons);
  write_file(options.out / "report.md", report::summary_markdown(comparisons, runs));
  fmt::print(stderr, "\n{}\n",
             report::summary_table(comparisons, runs, terminal_width(), terminal_colours()));
  for (const char* name : {"runs.csv", "epochs.csv", "comparison.csv", "report.md"}) {
    fmt::print(stderr, "{}\n", (options.out / name).string());
  }
  if (interrupt_requested()) throw Interrupted();
  const auto failed = std::count_if(
      runs.begin(), runs.end(), [](const auto& run) { return run.status != bench::RunStatus::ok; });
  if (failed == 0) return ExitCode::done;
  return failed == static_cast<std::ptrdiff_t>(runs.size()) ? ExitCode::error : ExitCode::partial;
}

}  // namespace mpbench::commands

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/process.hpp"
#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/report/csv_table.hpp"
#include "mpbench/report/markdown.hpp"
#include "mpbench/report/terminal_table.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/setup.hpp"
#include "progress_display.hpp"
#include "run_folder.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// The record of a run whose process left none.
bench::RunOutput lost_run(const bench::RunSpec& spec, const bench::ProcessResult& process) {
  bench::RunOutput lost;
  lost.run = {.run_id = spec.run_id,
              .status = bench::RunStatus::failed,
              .error = process.last_line.empty() ? describe(process) : process.last_line,
              .precision = spec.precision,
              .model = spec.model,
              .batch_size = spec.batch_size,
              .channels_last = spec.channels_last,
              .seed = spec.seed,
              .repeat = spec.repeat};
  // The kernel ends what takes too much memory with SIGKILL; nothing else here sends it unasked.
  if (process.signal == SIGKILL && !process.interrupted) {
    lost.run.status = bench::RunStatus::oom;
    lost.run.error = describe(process) + ": most likely the kernel's out-of-memory killer";
  }
  if (process.interrupted) lost.run.status = bench::RunStatus::interrupted;
  return lost;
}

bench::RunOutput run_in_process(const bench::RunSpec& spec, const train::TrainConfig& config,
                                const fs::path& out) {
  const fs::path folder = out / "runs" / spec.run_id;
  fs::remove_all(folder);
  make_writable_folder(folder);
  write_file(folder / "run.toml", train::to_toml(config));
  const bench::ProcessResult process = bench::run_process(
      {.argv = {"/proc/self/exe", "train", "--config", (folder / "run.toml").string(), "--out",
                folder.string(), "--run-id", spec.run_id, "--repeat", std::to_string(spec.repeat),
                "--progress", "never"},
       .log = folder / "output.log"});
  std::vector<bench::RunOutput> runs = read_runs(folder);
  if (runs.empty()) return lost_run(spec, process);
  runs.front().predictions = read_predictions(folder, spec.run_id);
  if (process.signal != 0 && !process.interrupted) {
    runs.front().run.status = lost_run(spec, process).run.status;
    runs.front().run.error = describe(process);
  }
  return runs.front();
}

/// Runs of an earlier, unfinished comparison that need not be done again: finished, and of the same
/// configuration.
bool is_done(const std::vector<bench::RunOutput>& runs, const bench::RunSpec& spec,
             const std::string& config_hash) {
  return std::any_of(runs.begin(), runs.end(), [&](const bench::RunOutput& output) {
    return output.run.run_id == spec.run_id && output.run.status == bench::RunStatus::ok &&
           output.run.config_hash == config_hash;
  });
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

  std::vector<bench::RunOutput> run(const std::vector<bench::RunSpec>& plan) {
    std::vector<bench::RunOutput> runs = read_runs(options_.out);
    const Stopwatch clock;
    std::int64_t finished = 0;
    std::int64_t measured = 0;
    for (const auto& spec : plan) {
      if (interrupt_requested()) break;
      const train::TrainConfig config = config_of(spec, options_.config);
      ++finished;
      if (options_.resume && is_done(runs, spec, train::config_hash(config, data_key(config)))) {
        spdlog::info("{} is done already", spec.run_id);
        continue;
      }
      tell(spec, finished - 1, plan.size(), measured, clock);
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

  void tell(const bench::RunSpec& spec, std::int64_t done, std::size_t total, std::int64_t measured,
            const Stopwatch& clock) const {
    if (!progress_) return;
    const double rate = measured > 0 ? static_cast<double>(measured) / clock.seconds() : 0;
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
};

std::vector<bench::Comparison> compare(const CompareOptions& options,
                                       const std::vector<bench::RunRecord>& runs) {
  bench::ComparisonOptions how = options.comparison;
  how.baseline_precision = options.axes.precision.front();
  how.auc = [](auto scores, auto labels, auto) { return train::auc(scores, labels); };
  how.accuracy = [](auto, auto labels, auto predicted) {
    return train::accuracy(predicted, labels);
  };
  return bench::compare_runs(
      runs, [&](const std::string& run_id) { return read_predictions(options.out, run_id); }, how);
}

}  // namespace

ExitCode run_compare(const CompareOptions& asked, const SharedOptions& shared) {
  CompareOptions options = asked;
  static_cast<void>(train::choose_device(options.config));  // before anything is written
  const std::vector<bench::RunSpec> plan = bench::make_plan(options.axes);
  options.out = choose_out_folder(options.out, "compare");
  if (fs::exists(options.out / "runs.csv") && !options.resume) {
    throw UsageError(fmt::format(
        "{} holds a comparison already: add --resume to go on with it, or choose another --out",
        options.out.string()));
  }
  make_writable_folder(options.out);
  add_log_file(options.out / "mpbench.log");
  write_file(options.out / "config.toml", to_toml(options));

  Sweep sweep(options, shared);
  sweep.prepare(plan);
  const std::vector<bench::RunOutput> outputs = sweep.run(plan);
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

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <set>

#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/process.hpp"
#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/terminal.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/core/toml_text.hpp"
#include "mpbench/report/csv_table.hpp"
#include "mpbench/report/markdown.hpp"
#include "mpbench/report/terminal_table.hpp"
#include "mpbench/train/metrics.hpp"
#include "mpbench/train/setup.hpp"
#include "progress_display.hpp"
#include "run_folder.hpp"
#include "subcommands.hpp"
#include "training_flags.hpp"

namespace mpbench::cli {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  train::TrainConfig config;  ///< what all runs share; the axes below replace their members
  bench::Axes axes{.precision = {"fp32", "bf16"},
                   .model = {"cnn"},
                   .batch_size = {32},
                   .image_size = {0},
                   .channels_last = {true},
                   .seed = {0},
                   .repeats = 3};
  std::vector<std::string> channels_last{"true"};
  bench::ComparisonOptions comparison;
  fs::path out;
  bool resume = false;

  // A sweep of a hundred runs would keep a hundred models that nobody asked for.
  CompareOptions() { config.checkpoints = false; }
};

train::TrainConfig config_of(const bench::RunSpec& spec, const train::TrainConfig& shared) {
  train::TrainConfig config = shared;
  config.precision = parse_precision(spec.precision);
  config.model = spec.model;
  config.batch_size = spec.batch_size;
  config.image_size = spec.image_size;
  config.channels_last = spec.channels_last;
  config.seed = spec.seed;
  return config;
}

/// Options of a TrainConfig that a comparison has as lists.
const std::set<std::string> axis_names{"precision",  "model",         "batch-size",
                                       "image-size", "channels-last", "seed"};

/// The whole comparison as TOML that `mpbench compare --config` reads back.
std::string to_toml(const CompareOptions& options) {
  std::string text =
      toml_line("precision", options.axes.precision) + toml_line("model", options.axes.model) +
      toml_line("batch-size", options.axes.batch_size) +
      toml_line("image-size", options.axes.image_size) +
      toml_line("channels-last", options.channels_last) + toml_line("seed", options.axes.seed) +
      toml_line("repeats", options.axes.repeats) + toml_line("margin", options.comparison.margin) +
      toml_line("confidence", options.comparison.confidence);
  train::visit_options(options.config, [&](const char* name, const auto& value, const char*) {
    if (!axis_names.contains(name)) text += toml_line(name, value);
  });
  return text;
}

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

void validate_all(const CompareOptions& options, const std::vector<bench::RunSpec>& plan) {
  for (const auto& spec : plan) train::validate(config_of(spec, options.config));
  bench::validate(options.comparison);
  static_cast<void>(train::choose_device(options.config));
  if (options.axes.precision.size() < 2) {
    throw UsageError("--precision: a comparison needs two or more, the baseline first: fp32,bf16");
  }
}

ExitCode run_compare(CompareOptions options, const SharedOptions& shared) {
  if (options.channels_last.empty())
    options.channels_last = {"true"};  // The flag alone, without a list.
  options.axes.channels_last.clear();
  for (const auto& word : options.channels_last)
    options.axes.channels_last.push_back(CLI::detail::to_flag_value(word) > 0);
  const std::vector<bench::RunSpec> plan = bench::make_plan(options.axes);
  validate_all(options, plan);
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

void add_axes(CLI::App& command, CompareOptions& options) {
  auto& axes = options.axes;
  command.add_option("--precision", axes.precision, "Comma list; the first is the baseline")
      ->delimiter(',');
  command.add_option("--model", axes.model, "Comma list of networks")->delimiter(',');
  command.add_option("--batch-size", axes.batch_size, "Comma list of images a step")
      ->delimiter(',');
  command
      .add_option("--image-size", axes.image_size,
                  "Comma list of pixels a side; 0 is the dataset's own")
      ->delimiter(',');
  command.add_option("--seed", axes.seed, "Comma list of seeds")->delimiter(',');
  command.add_flag_callback(
      "--no-channels-last", [&options] { options.channels_last = {"false"}; },
      "NCHW memory format in every arm");
  command
      .add_option("--channels-last", options.channels_last,
                  "Comma list of true, false: NHWC memory format")
      ->delimiter(',')
      ->expected(0, -1)
      ->check(CLI::IsMember({"true", "false"}));
  command.add_option("--repeats", axes.repeats, "Times each arm is run, interleaved")
      ->check(CLI::Range(1, 1000));
}

}  // namespace

void setup_compare(CLI::App& app, const SharedOptions& shared, Action& action) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command =
      app.add_subcommand("compare", "FP32 against mixed precision: time, memory, accuracy");
  add_axes(*command, *options);
  add_training_flags(*command, options->config, axis_names);
  command->add_option("--margin", options->comparison.margin,
                      "Loss of the metric (AUC or accuracy) that still counts as non-inferior");
  command->add_option("--confidence", options->comparison.confidence, "Of the intervals");
  command->add_option_function<std::string>(
      "--out", [options](const std::string& path) { options->out = path; },
      "Folder for CSVs, report and logs (default mpbench-out/compare-TIME)");
  command->add_flag("--resume", options->resume,
                    "Go on with the comparison in --out, keeping its finished runs");
  command->footer(
      "Examples:\n"
      "  mpbench compare --precision fp32,bf16,fp16 --data rsna/ --image-size 124\n"
      "  mpbench compare --batch-size 16,32,64 --repeats 5 --out sweep\n"
      "  mpbench compare --resume --config sweep/config.toml --out sweep\n"
      "Each run has a process of its own; repeats are interleaved. --seed varies what\n"
      "chance decides, --repeats what the machine's noise does.");
  command->callback([options, &shared, &action] {
    action = [options, &shared] { return run_compare(*options, shared); };
  });
}

}  // namespace mpbench::cli

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "mpbench/bench/run_folder.hpp"
#include "mpbench/bench/runner.hpp"
#include "mpbench/core/logging.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/tensorboard/event_file.hpp"
#include "mpbench/train/checkpoint.hpp"
#include "mpbench/train/ineffective_options.hpp"
#include "mpbench/train/setup.hpp"
#include "mpbench/train/trainer.hpp"
#include "out_folder.hpp"
#include "progress_display.hpp"
#include "subcommands.hpp"

namespace mpbench::commands {
namespace {

/// Where a run leaves what.
struct RunFolder {
  explicit RunFolder(std::filesystem::path folder) : out(std::move(folder)) {}

  std::filesystem::path out;
  std::filesystem::path options = out / "config.toml";
  std::filesystem::path checkpoints = out / "checkpoints";
  std::filesystem::path tensorboard = out / "tensorboard";
  train::CheckpointFolder states{checkpoints};
};

void report_epoch(const bench::RunOutput& output) {
  const auto& epoch = output.epochs.back();
  std::string line = fmt::format("epoch {}: train loss {:.4f}, accuracy {:.4f}", epoch.epoch,
                                 epoch.train_loss.value_or(0), epoch.train_accuracy.value_or(0));
  if (epoch.val_loss)
    line += fmt::format("; validation loss {:.4f}, accuracy {:.4f}", *epoch.val_loss,
                        *epoch.val_accuracy);
  if (epoch.val_auc) line += fmt::format(", AUC {:.4f}", *epoch.val_auc);
  if (output.run.val_pf1) line += fmt::format(", pF1 {:.4f}", *output.run.val_pf1);
  if (epoch.images_per_s) line += fmt::format("; {:.1f} images/s", *epoch.images_per_s);
  if (epoch.loss_scale)
    line +=
        fmt::format(", scale {:g}, {} skipped", *epoch.loss_scale, epoch.skipped_steps.value_or(0));
  spdlog::info("{}", line);
}

ExitCode conclude(const bench::RunRecord& run, const std::filesystem::path& out) {
  const std::string where = fmt::format("results in {}", out.string());
  switch (run.status) {
    case bench::RunStatus::ok:
      spdlog::info("{}: trained in {} ({:.1f} images/s, {:.1f} ms a step); {}", run.precision,
                   format_duration(run.train_time_s.value_or(0)), run.images_per_s.value_or(0),
                   run.step_ms_median.value_or(0), where);
      return ExitCode::done;
    case bench::RunStatus::interrupted:
      spdlog::warn("interrupted after {} epochs, {} steps; {}; --resume goes on",
                   run.epochs.value_or(0), run.steps.value_or(0), where);
      return ExitCode::interrupted;
    default:
      spdlog::error("{}: {}; {}", enum_name(run.status), run.error, where);
      return ExitCode::error;
  }
}

/// A finished run in the folder gives way to a new one; one that could go on does not.
void refuse_to_replace(const RunFolder& folder) {
  if (!folder.states.holds_any()) return;
  const auto runs = bench::read_runs(folder.out);
  if (runs.empty() || runs.front().run.status != bench::RunStatus::ok) {
    throw UsageError(fmt::format(
        "{} holds the states of a run: add --resume to go on with it, or choose another --out",
        folder.checkpoints.string()));
  }
}

/// What --resume or --resume-from go on from; nothing for a run that was ended before it kept a
/// state.
std::optional<train::KeptState> find_state(const TrainOptions& options, const RunFolder& folder) {
  if (!options.resume_from.empty()) {
    return train::KeptState{train::read_checkpoint(options.resume_from), options.resume_from};
  }
  if (!options.resume) return std::nullopt;
  if (auto last = folder.states.load_last()) {
    return train::KeptState{*std::move(last), folder.states.last()};
  }
  if (std::filesystem::exists(folder.out / "runs.csv")) {
    throw UsageError(fmt::format(
        "--resume: the run in {} left no states in {} to go on from: without --resume a new run "
        "takes its place",
        folder.out.string(), folder.checkpoints.string()));
  }
  if (!std::filesystem::exists(folder.options)) {
    throw UsageError(fmt::format(
        "--resume: there is no run in {} to go on with: check --out, or begin one without --resume",
        folder.out.string()));
  }
  spdlog::info("{}: the run was ended before it kept a state: it begins again",
               folder.out.string());
  return std::nullopt;
}

/// What the CSVs call a run.
struct RunName {
  std::string run_id;
  std::int64_t repeat = 1;
};

/// As the flags say, else as before where it goes on.
RunName name_of(const TrainOptions& options, const train::TrainConfig& config,
                const std::optional<train::KeptState>& state) {
  RunName name{fmt::format("{}-{}", config.model.name, to_string(config.precision))};
  if (state) {
    const nlohmann::json& saved = state->checkpoint.state;
    name = {saved.value("run_id", name.run_id), saved.value("repeat", name.repeat)};
  }
  if (!options.run_id.empty()) name.run_id = options.run_id;
  if (options.repeat) name.repeat = *options.repeat;
  return name;
}

/// Where the images are smaller than those that the model is designed for.
void tell_designed_size(const train::TrainConfig& config, const data::ImageDataset& images) {
  const int designed_for = nn::native_resolution(config.model.name);
  if (designed_for <= std::max(images.height, images.width)) return;
  spdlog::info("{} is designed for images of {} x {} (--image-size {})", config.model.name,
               designed_for, designed_for, designed_for);
}

void tell_event_folder(const RunFolder& folder) {
  spdlog::info("events go to {}: tensorboard --logdir {} shows them", folder.tensorboard.string(),
               folder.out.string());
}

}  // namespace

ExitCode run_train(const TrainOptions& options, const SharedOptions& shared) {
  const std::unique_ptr<bench::Pace> pace =
      options.take_turns ? bench::conducted_pace() : std::unique_ptr<bench::Pace>();
  const ProgressFunction progress = make_progress(shared);
  train::TrainConfig config = options.config;
  const auto device = train::choose_device(config);  // before anything is written
  config.workers = train::workers_of(config, device);
  if (options.amp) {
    config.precision = device::default_mixed_precision(device);
    spdlog::info("--amp means {} on {}", to_string(config.precision), device.str());
  }
  train::require_effect(std::array{config});
  const RunFolder folder(choose_out_folder(options.out, "train"));
  const auto& out = folder.out;
  if (!options.continues()) refuse_to_replace(folder);
  std::optional<train::KeptState> state = find_state(options, folder);
  if (state) {
    train::require_same_options(config, state->checkpoint, state->path);
  } else {
    train::require_weights_file(config);
  }
  make_writable_folder(out);
  if (!state) add_log_file(out / "mpbench.log");
  // Early, so that a run which is killed while it prepares its images can be resumed; not over what
  // another run has left, before it is certain that this one takes place.
  if (!options.continues() && !std::filesystem::exists(folder.options)) {
    write_file(folder.options, train::to_toml(config));
  }
  bool started = false;
  const auto start = [&] {
    started = true;
    if (state) {
      add_log_file(out / "mpbench.log");
    } else {
      // What an earlier run left would pass for this one's.
      std::filesystem::remove_all(folder.checkpoints);
      tensorboard::remove_event_files(folder.tensorboard);
      for (const char* name : {"runs.csv", "epochs.csv"}) std::filesystem::remove(out / name);
    }
    write_file(folder.options, train::to_toml(config));
  };

  const data::ImageDataset images = train::open_images(config, progress);
  tell_designed_size(config, images);
  if (options.tensorboard) tell_event_folder(folder);
  const RunName name = name_of(options, config, state);
  const bench::RunOutput output =
      bench::run_training(config, images,
                          {.run_id = name.run_id,
                           .repeat = name.repeat,
                           .progress = progress,
                           .pace = pace.get(),
                           .validated = !options.no_validation,
                           .checkpoints = folder.checkpoints,
                           .tensorboard = options.tensorboard ? folder.tensorboard : "",
                           .state = state ? &*state : nullptr,
                           .trace = options.take_turns ? out / "trace.json" : "",
                           .on_start = start,
                           .on_epoch = [&](const bench::RunOutput& so_far) {
                             report_epoch(so_far);
                             bench::RunOutput kept = so_far;
                             kept.run.status = bench::RunStatus::interrupted;
                             bench::write_runs(out, {kept});
                           }});
  if (!started && state) return conclude(output.run, out);  // what was there stays
  if (!started) start();
  bench::write_runs(out, {output});
  data::write_split_csv(out / "split.csv", images.samples, output.split);
  return conclude(output.run, out);
}

}  // namespace mpbench::commands

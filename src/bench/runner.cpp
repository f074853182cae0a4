#include "mpbench/bench/runner.hpp"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "mpbench/bench/meters.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/first_line.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/device/out_of_memory.hpp"
#include "mpbench/train/setup.hpp"
#include "mpbench/train/trainer.hpp"
#include "run_rows.hpp"
#include "run_state.hpp"
#include "training_events.hpp"

namespace mpbench::bench {
namespace {

/// The counters wrap after an hour or so.
constexpr double seconds_between_energy_readings = 60;

/// One run, from its first step or from a kept state to its end.
class Run {
 public:
  Run(const train::TrainConfig& config, const data::ImageDataset& set, const RunOptions& options,
      RunOutput& output, std::optional<TrainingEvents>& events)
      : config_(config),
        set_(set),
        options_(options),
        output_(output),
        events_(events),
        folder_(options.checkpoints),
        trainer_(config, set, /*will_restore=*/options.state != nullptr),
        meter_(train::choose_device(config)),
        profiler_(train::choose_device(config)) {
    RunRecord& run = output.run;
    output.split = trainer_.split();
    run.n_train = static_cast<std::int64_t>(output.split.train.size());
    run.n_val = static_cast<std::int64_t>(output.split.validation.size());
    run.parameters = trainer_.parameters();
    (config.precision == Precision::bf16 ? run.bf16_convolution : run.fp16_convolution) =
        trainer_.convolution_arithmetic();
    run.kernels = trainer_.cpu_kernels();
    if (!trainer_.weights_report().empty()) spdlog::info("{}", trainer_.weights_report());
  }

  /// Keeps what training took, however the run ended.
  ~Run() {
    stop_measuring();
    if (state_.use) fill_use(output_.run, *state_.use);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Takes over what the run has come to so far, where it goes on from a state.
  void read_state() {
    if (options_.state == nullptr) return;
    const auto& [checkpoint, path] = *options_.state;
    trainer_.require_same_run(checkpoint, path);
    try {
      state_ = run_state_from(checkpoint.state.at("run"));
    } catch (const nlohmann::json::exception& error) {
      throw InputError(path, "run", error.what());
    }
    for (EpochRecord& epoch : state_.epochs) epoch.run_id = options_.run_id;
    output_.epochs = state_.epochs;
    if (output_.epochs.empty()) return;
    fill_totals(output_.run, state_.totals, config_.precision == Precision::fp16);
    fill_epochs();
  }

  void warm_up() { output_.run.time_to_first_step_s = trainer_.warm_up(); }

  /// Puts the trainer into the state, where there is one.
  void resume() {
    if (options_.state == nullptr) return;
    auto& [checkpoint, path] = *options_.state;
    trainer_.restore(checkpoint, path);
    checkpoint = {};
    spdlog::info("{}: going on after step {}", path.string(), trainer_.steps_done());
    const auto best = static_cast<int>(best_epoch(state_.epochs));
    if (keeps() && best > 0 && !folder_.restore_best(best, path)) {
      spdlog::warn("{}: the state after epoch {}, the best so far, is not kept any more",
                   folder_.best().string(), best);
    }
    // The predictions were not kept: they follow from the weights.
    if (!output_.epochs.empty() && !trainer_.epoch_open() &&
        (trainer_.finished() || stops_early())) {
      fill_validation(output_, judge(), set_);
    }
  }

  /// Begins to tell TensorBoard, where that is wanted: once the run is certain to go on from here.
  void begin_events() {
    if (options_.tensorboard.empty()) return;
    events_.emplace(options_.tensorboard, config_, set_, output_.split, trainer_.steps_done());
    trainer_.on_window([this](const train::StepWindow& window) { events_->add(window); });
  }

  void train() {
    if (options_.pace != nullptr) options_.pace->run_begins(trainer_.total_steps());
    while ((!trainer_.finished() || trainer_.epoch_open()) && !stops_early()) {
      train_to_epoch_end();
      if (stopped_) break;
      if (!options_.validated) {
        finish_epoch();
        continue;
      }
      // A longer run goes on within the epoch: what it came to is not part of that run's past.
      const bool cut = trainer_.epoch_cut();
      try {
        const train::ValidationResult validation = judge();
        if (cut) keep();
        finish_epoch();
        fill_validation(output_, validation, set_);
        if (events_) events_->add_validation(trainer_.steps_done(), output_.run);
      } catch (const train::Diverged&) {
        // The epoch was trained and counts; what was predicted before it is not the run's answer.
        finish_epoch();
        output_.predictions.clear();
        output_.confusion = {};
        throw;
      }
      state_.epochs = output_.epochs;
      fill_epochs();
      if (!cut) keep();
      if (best_epoch(state_.epochs) == state_.epochs.back().epoch && keeps()) {
        cut ? folder_.mark_best_within_epoch() : folder_.mark_best();
      }
      if (options_.on_epoch) options_.on_epoch(output_);
    }
    if (stopped_ && trainer_.epoch_open()) finish_epoch();
    if (profiler_.steps() > 0) finish_profile();
    if (stops_early() && !trainer_.finished()) {
      spdlog::info("stopped early: no better epoch than {} for {} epochs",
                   best_epoch(state_.epochs), config_.early_stop);
    }
  }

 private:
  bool keeps() const { return config_.checkpoints && !options_.checkpoints.empty(); }

  void keep() {
    if (!keeps()) return;
    train::Checkpoint checkpoint = trainer_.checkpoint();
    RunState state = state_;
    if (meter_.running()) add_use(state, with_graph(meter_.used()));
    checkpoint.state["run"] = to_json(state);
    checkpoint.state["run_id"] = options_.run_id;
    checkpoint.state["repeat"] = options_.repeat;
    folder_.save(checkpoint);
  }

  ResourceUse with_graph(ResourceUse use) const {
    if (const auto graph = trainer_.graph_peak_bytes(); graph && use.peak_device_bytes) {
      use.peak_device_bytes = std::max(*use.peak_device_bytes, *graph);
    }
    return use;
  }

  static void add_use(RunState& state, const ResourceUse& part) {
    if (state.use) {
      state.use->add(part);
    } else {
      state.use = part;
    }
  }

  void stop_measuring() {
    if (meter_.running()) add_use(state_, with_graph(meter_.stop()));
  }

  /// Tells the trainer's progress on, and reads the energy counters before they wrap.
  ProgressFunction measured_progress() {
    return [this, since_read = Stopwatch()](const Progress& progress) mutable {
      if (since_read.seconds() > seconds_between_energy_readings) {
        meter_.follow_energy();
        since_read = Stopwatch();
      }
      if (options_.progress) options_.progress(progress);
    };
  }

  void finish_epoch() {
    const train::EpochResult epoch = trainer_.finish_epoch();
    state_.totals.add(epoch);
    output_.epochs.push_back(epoch_record(options_.run_id, epoch));
    fill_totals(output_.run, state_.totals, epoch.loss_scale.has_value());
    output_.run.epochs = state_.totals.complete_epochs;
    if (events_) events_->end_epoch(epoch, output_.epochs.back(), trainer_);
  }

  /// Validation is not training: what it takes is not measured.
  void train_to_epoch_end() {
    if (options_.pace == nullptr) meter_.start();
    train_blocks_to_epoch_end();
    stop_measuring();
  }

  /// How many steps to do before states are kept, or before it is another run's turn.
  std::int64_t next_steps() {
    if (options_.pace == nullptr) {
      return keeps() && config_.checkpoint_steps > 0 ? config_.checkpoint_steps
                                                     : train::Trainer::all_steps;
    }
    // While others compute, their energy is not this run's.
    stop_measuring();
    const std::int64_t steps = options_.pace->next_steps();
    if (steps > 0) meter_.start();
    return steps;
  }

  train::StepStats train_block(std::int64_t steps) {
    if (options_.pace == nullptr) return trainer_.train_steps(steps, measured_progress());
    const std::int64_t skipped_before = trainer_.skipped_steps();
    const bool profiled = options_.pace->profiles();
    if (profiled) profiler_.start();
    train::StepStats stats = trainer_.train_steps(steps, measured_progress());
    if (profiled) profiler_.stop(stats.steps, stats.time_s, stats.data_wait_s);
    if (stats.complete) {
      options_.pace->steps_done(stats, trainer_.skipped_steps() - skipped_before,
                                trainer_.finished());
    }
    return stats;
  }

  void finish_profile() {
    output_.profile = profiler_.profile(config_.channels_last);
    if (!options_.trace.empty()) profiler_.write_trace(options_.trace);
  }

  void train_blocks_to_epoch_end() {
    while (!trainer_.at_epoch_end()) {
      const std::int64_t steps = next_steps();
      stopped_ = steps == 0;
      if (stopped_) return;
      const bool complete = train_block(steps).complete;
      if (complete && (trainer_.at_epoch_end() || options_.pace != nullptr)) continue;
      keep();
      if (!complete) {
        const train::EpochResult part = trainer_.finish_epoch();
        Totals so_far = state_.totals;
        so_far.add(part);
        fill_totals(output_.run, so_far, part.loss_scale.has_value());
        throw Interrupted();
      }
    }
  }

  train::ValidationResult judge() {
    try {
      return trainer_.validate(options_.progress);
    } catch (const Interrupted&) {
      keep();  // The epoch's steps are done; only its validation has to be done again.
      throw;
    }
  }

  void fill_epochs() {
    const EpochRecord& last = output_.epochs.back();
    RunRecord& run = output_.run;
    run.epochs = state_.totals.complete_epochs;
    run.train_loss = last.train_loss;
    run.final_loss_scale = last.loss_scale;
    if (const std::int64_t best = best_epoch(state_.epochs); best > 0) run.best_epoch = best;
  }

  bool stops_early() const {
    const std::int64_t best = best_epoch(state_.epochs);
    return config_.early_stop > 0 && best > 0 &&
           state_.epochs.back().epoch - best >= config_.early_stop;
  }

  const train::TrainConfig& config_;
  const data::ImageDataset& set_;
  const RunOptions& options_;
  RunOutput& output_;
  std::optional<TrainingEvents>& events_;  ///< none: nobody wants them
  train::CheckpointFolder folder_;
  train::Trainer trainer_;
  ResourceMeter meter_;
  profile::StepProfiler profiler_;
  RunState state_;
  bool stopped_ = false;  ///< told to end here
};

}  // namespace

RunOutput run_training(const train::TrainConfig& config, const data::ImageDataset& set,
                       const RunOptions& options) {
  train::validate(config);
  if (config.threads > 0) at::set_num_threads(config.threads);
  const c10::Device device = train::choose_device(config);
  RunOutput output{.run = describe_run(config, set, options, device)};
  output.classes = set.classes;
  RunRecord& run = output.run;
  std::optional<TrainingEvents> events;

  const auto stop = [&](RunStatus status, std::string_view error) {
    run.status = status;
    run.error = first_line(error);
  };
  try {
    // Without it the first device gets a context beside the one that computes.
    const c10::OptionalDeviceGuard on_device(device.is_cuda() ? std::optional(device)
                                                              : std::nullopt);
    describe_device(run, device);
    run.note = notes_on(config, set, device);
    if (!run.note.empty()) spdlog::warn("{}", run.note);
    Run work(config, set, options, output, events);
    work.read_state();
    if (options.on_start) options.on_start();
    if (options.pace != nullptr) options.pace->wait_to_warm_up();
    work.warm_up();
    work.resume();
    work.begin_events();
    work.train();
    run.status = RunStatus::ok;
  } catch (const Interrupted&) {
    stop(RunStatus::interrupted, "stopped by the user");
  } catch (const train::Diverged& error) {
    stop(RunStatus::diverged, error.what());
  } catch (const train::OutOfMemory& error) {
    stop(RunStatus::oom, error.what());
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const bool no_memory = device::is_out_of_memory(error, device);
    stop(no_memory ? RunStatus::oom : RunStatus::failed, error.what());
  }
  if (events) events->end_run(run.status);
  return output;
}

}  // namespace mpbench::bench

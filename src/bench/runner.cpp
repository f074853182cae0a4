#include "mpbench/bench/runner.hpp"

#include <c10/util/Exception.h>
#include <fmt/chrono.h>
#include <spdlog/spdlog.h>
#include <torch/torch.h>

#include <algorithm>
#include <ctime>
#include <new>
#include <numeric>
#include <span>

#include "mpbench/bench/meters.hpp"
#include "mpbench/bench/statistics.hpp"
#include "mpbench/core/build_info.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/train/trainer.hpp"

namespace mpbench::bench {
namespace {

/// What the epochs add up to while they pass.
struct Totals {
  std::int64_t steps = 0;
  std::int64_t images = 0;
  std::int64_t skipped_steps = 0;
  double time_s = 0;
  double data_wait_s = 0;
  std::vector<double> step_s;

  void add(const train::EpochResult& epoch) {
    steps += epoch.steps;
    images += epoch.images;
    skipped_steps += epoch.skipped_steps;
    time_s += epoch.time_s;
    data_wait_s += epoch.data_wait_s;
    step_s.insert(step_s.end(), epoch.step_s.begin(), epoch.step_s.end());
  }
};

RunRecord describe_run(const train::TrainConfig& config, const data::ImageSet& set,
                       const RunOptions& options) {
  const c10::Device device = device::parse_device(config.device);
  const device::Versions versions = device::versions();
  RunRecord run;
  run.run_id = options.run_id;
  run.precision = to_string(config.precision);
  run.model = config.model;
  run.dataset = set.dataset;
  run.image_size = std::max(set.height, set.width);
  run.batch_size = config.batch_size;
  run.channels_last = config.channels_last;
  run.seed = config.seed;
  run.repeat = options.repeat;
  run.device = device.str();
  run.device_name = device::describe(device).name;
  run.threads = torch::get_num_threads();
  run.torch_version = versions.torch;
  run.cuda_version = device.is_cuda() ? versions.cuda : "";
  run.cudnn_version = device.is_cuda() ? versions.cudnn : "";
  run.git_commit = build_info::git_commit();
  run.build_type = build_info::build_type();
  run.config_hash = train::config_hash(config, set.key);
  run.started_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  return run;
}

std::string notes_on(const train::TrainConfig& config, const data::ImageSet& set) {
  std::vector<std::string> notes;
  if (set.dataset == "synthetic") notes.emplace_back("synthetic data");
  const auto info = device::describe(device::parse_device(config.device));
  for (const auto& support : info.precisions) {
    if (support.precision == config.precision && support.support != device::Support::native) {
      notes.push_back(fmt::format("{} is {} on this device: {}", to_string(config.precision),
                                  to_string(support.support), support.advice));
    }
  }
  return fmt::format("{}", fmt::join(notes, "; "));
}

void fill_totals(RunRecord& run, const Totals& totals, bool has_scaler) {
  run.steps = totals.steps;
  if (has_scaler) run.skipped_steps = totals.skipped_steps;
  if (totals.steps == 0) return;
  run.train_time_s = totals.time_s;
  run.images_per_s = static_cast<double>(totals.images) / totals.time_s;
  run.data_wait_fraction = totals.data_wait_s / totals.time_s;
  run.step_ms_median = 1e3 * median(totals.step_s);
  run.step_ms_mad = 1e3 * median_absolute_deviation(totals.step_s);
}

EpochRecord epoch_record(const std::string& run_id, const train::EpochResult& epoch) {
  return {.run_id = run_id,
          .epoch = epoch.epoch,
          .train_loss = epoch.train_loss,
          .train_accuracy = epoch.train_accuracy,
          .lr = epoch.lr,
          .loss_scale = epoch.loss_scale,
          .skipped_steps = epoch.loss_scale ? std::optional(epoch.skipped_steps) : std::nullopt,
          .epoch_time_s = epoch.time_s,
          .images_per_s = static_cast<double>(epoch.images) / epoch.time_s};
}

void fill_validation(RunOutput& output, const train::ValidationResult& validation,
                     const data::ImageSet& set) {
  RunRecord& run = output.run;
  run.val_loss = validation.loss;
  run.val_accuracy = validation.accuracy;
  run.val_auc = validation.auc;
  run.val_pf1 = validation.pf1;
  EpochRecord& epoch = output.epochs.back();
  epoch.val_loss = validation.loss;
  epoch.val_accuracy = validation.accuracy;
  epoch.val_auc = validation.auc;
  output.predictions.clear();
  for (const auto& prediction : validation.predictions) {
    const auto& sample = set.samples[static_cast<std::size_t>(prediction.index)];
    output.predictions.push_back({.sample_id = sample.id,
                                  .group = sample.group,
                                  .unit = sample.unit == sample.id ? "" : sample.unit,
                                  .label = sample.label,
                                  .score = prediction.score,
                                  .predicted = prediction.predicted});
  }
}

void run_epochs(train::Trainer& trainer, const data::ImageSet& set, const RunOptions& options,
                ResourceMeter& meter, Totals& totals, RunOutput& output) {
  RunRecord& run = output.run;
  while (!trainer.finished()) {
    const train::EpochResult epoch = trainer.train_epoch(options.progress);
    meter.sample();
    totals.add(epoch);
    fill_totals(run, totals, epoch.loss_scale.has_value());
    if (!epoch.complete) throw Interrupted();
    run.epochs = epoch.epoch;
    run.train_loss = epoch.train_loss;
    run.final_loss_scale = epoch.loss_scale;
    output.epochs.push_back(epoch_record(options.run_id, epoch));
    fill_validation(output, trainer.validate(options.progress), set);
    if (options.on_epoch) options.on_epoch(output);
  }
}

// ATen reports a refused allocation on the CPU as a plain c10::Error; its allocator's name is what
// tells.
bool is_out_of_memory(const std::exception& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos;
}

}  // namespace

RunOutput run_training(const train::TrainConfig& config, const data::ImageSet& set,
                       const RunOptions& options) {
  train::validate(config);
  if (config.threads > 0) torch::set_num_threads(config.threads);
  RunOutput output{.run = describe_run(config, set, options)};
  RunRecord& run = output.run;
  run.note = notes_on(config, set);
  if (!run.note.empty()) spdlog::warn("{}", run.note);

  const c10::Device device = device::parse_device(config.device);
  Totals totals;
  ResourceMeter meter;
  const auto stop = [&](RunStatus status, std::string error) {
    run.status = status;
    run.error = std::move(error);
  };
  try {
    device::reset_peak_memory(device);
    train::Trainer trainer(config, set);
    output.split = trainer.split();
    run.n_train = static_cast<std::int64_t>(output.split.train.size());
    run.n_val = static_cast<std::int64_t>(output.split.validation.size());
    run.parameters = trainer.parameters();
    run.fp16_convolution = trainer.fp16_convolution();
    run.time_to_first_step_s = trainer.warm_up();
    meter.start();
    run_epochs(trainer, set, options, meter, totals, output);
    run.status = RunStatus::ok;
  } catch (const Interrupted&) {
    stop(RunStatus::interrupted, "stopped by the user");
  } catch (const train::Diverged& error) {
    stop(RunStatus::diverged, error.what());
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    stop(is_out_of_memory(error) ? RunStatus::oom : RunStatus::failed,
         error.what_without_backtrace());
  } catch (const std::exception& error) {
    stop(is_out_of_memory(error) ? RunStatus::oom : RunStatus::failed, error.what());
  }
  const ResourceUse use = meter.stop();
  run.peak_rss_bytes = use.peak_rss_bytes;
  run.cpu_time_s = use.cpu_time_s;
  run.energy_j = use.energy_j;
  run.peak_device_bytes = device::peak_memory_bytes(device);
  return output;
}

}  // namespace mpbench::bench

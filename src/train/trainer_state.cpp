#include "trainer_state.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

#include "mpbench/core/malloc_tuning.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/device/device.hpp"
#include "mpbench/nn/backbone.hpp"
#include "mpbench/nn/weights.hpp"
#include "mpbench/train/setup.hpp"

namespace mpbench::train {
namespace {

amp::GradScalerOptions scaler_options(const TrainConfig& config) {
  amp::GradScalerOptions options = config.scaler;
  options.enabled = config.precision == Precision::fp16;
  return options;
}

OptimizerOptions optimizer_options(const TrainConfig& config) {
  OptimizerOptions options = config.optimizer;
  options.tensor_lr = config.cuda_graph;  // a captured graph reads it where it lies
  return options;
}

}  // namespace

Trainer::State::State(const TrainConfig& chosen, const data::ImageDataset& images,
                      bool will_restore)
    : config(chosen),
      set(images),
      device(choose_device(config)),
      float32(config.precision == Precision::tf32),
      determinism(config.deterministic, config.cudnn_benchmark),
      split(make_split(config, set)),
      criterion(make_loss(config, set, split)),
      sums(criterion.task, device),
      loading(loader_options(config, device, make_normalization(config.normalize, set, split))),
      train_loader(set, split.train,
                   training_loader_options(loading, config, criterion.task, split.train.size())),
      validation_loader(set, split.validation, loading) {
  if (device.is_cpu()) {
    tune_malloc();
    kernels::CpuKernelOptions options =
        cpu_kernel_options(config.depthwise, config.emulation, config.precision);
    options.instructions = kernels::instruction_set(config.kernels);
    cpu_kernels.emplace(options);
  }
  // The last batch is dropped unless it is the only one.
  const auto smallest_batch =
      std::min<std::int64_t>(config.batch_size, train_loader.images_per_epoch());
  require_image_size(config, set.height, set.width, smallest_batch);
  torch::manual_seed(config.seed);
  model = nn::make_model(model_options(config, set.channels, static_cast<int>(set.classes.size())));
  if (!config.weights.empty() && !will_restore) {
    const auto report = nn::load_weights(*model, config.weights);
    weights_report = report.line();
    report.log_warnings();
    weights_digest = train::weights_digest(config);
  }
  model->to(device);
  if (config.channels_last) nn::to_channels_last(*model);
  steps_per_epoch = (train_loader.batches_per_epoch() + config.accumulate - 1) / config.accumulate;
  total_steps = config.steps > 0 ? config.steps : steps_per_epoch * config.epochs;
  schedule = {.kind = config.schedule.kind,
              .base_lr = config.optimizer.lr,
              .total_steps = total_steps,
              .warmup_steps = std::llround(config.schedule.warmup_epochs *
                                           static_cast<double>(steps_per_epoch)),
              .min_lr = config.schedule.min_lr};
  optimizer = make_optimizer(model->parameters(), optimizer_options(config));
  scaler = amp::GradScaler(scaler_options(config));
  if (config.cuda_graph) graphed.emplace();
  reset();
}

void Trainer::State::reset() {
  torch::manual_seed(config.seed);
  for (const auto& [name, tensor] : optimizer->state()) tensor.zero_();
  scaler.reset(config.scaler.init_scale);
  if (config.ema_decay > 0) ema.emplace(*model, config.ema_decay);
  skipped_in_a_row = skipped_at_last_check = 0;
  clear_epoch();
}

void Trainer::State::clear_epoch() {
  epoch = {};
  if (criterion.task == Task::binary) epoch.stats.positives = 0;
  sums.set(0, 0);
  epoch.skipped_before = scaler.skipped_steps();
  loader_in_place = false;
}

void Trainer::State::continue_epoch() {
  if (loader_in_place) return;
  train_loader.start_epoch(epochs_done, std::min(epoch.stats.steps * config.accumulate,
                                                 train_loader.batches_per_epoch()));
  loader_in_place = true;
}

void Trainer::State::step(std::span<const data::Batch> batches) {
  TrainStepContext parts = context();
  if (graphed) {
    (*graphed)(parts, batches);
  } else {
    static_cast<void>(train_step(parts, batches));
  }
}

void Trainer::State::handicapped_step(std::span<const data::Batch> batches) {
  const Stopwatch clock;
  step(batches);
  if (config.handicap <= 0) return;
  device::synchronize(device);
  // Computing, not sleeping: as a slower step would, it keeps a core busy.
  const double end_s = clock.seconds() * (1 + config.handicap);
  while (clock.seconds() < end_s) {
  }
}

void Trainer::State::begin_training() {
  const bool frozen = frozen_in(epochs_done);
  // A graph does what was recorded: another one is needed once other parameters train.
  if (graphed && frozen != backbone_frozen) graphed.emplace();
  backbone_frozen = frozen;
  nn::set_backbone_trainable(*model, !frozen);
  nn::train_mode(*model, frozen);
}

}  // namespace mpbench::train

#pragma once

#include <torch/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ema.hpp"
#include "graphed_step.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/data/loader.hpp"
#include "mpbench/device/determinism.hpp"
#include "mpbench/device/float32_precision.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "mpbench/train/trainer.hpp"
#include "optimizer.hpp"
#include "schedule.hpp"
#include "step.hpp"
#include "training_sums.hpp"

namespace mpbench::train {

/// What the host counts over the steps of the current epoch.
struct EpochAccumulator {
  StepStats stats;
  std::int64_t skipped_before = 0;  ///< steps skipped before the epoch began
  double lr = 0;                    ///< of the last step
  double loss_seen = 0;             ///< the sum over the steps that the host has looked at
};

struct Trainer::State {
  State(const TrainConfig& chosen, const data::ImageDataset& images, bool will_restore);

  /// Optimizer, scaler, average and random numbers as at the start, from the weights as they are;
  /// in place, so that a recorded CUDA graph goes on reading and writing them.
  void reset();
  void clear_epoch();
  /// Puts the loader where the epoch stands, unless it is there already.
  void continue_epoch();
  /// Whether the backbone does not train in that epoch, counted from 0.
  bool frozen_in(int number) const {
    return config.freeze_backbone &&
           (config.unfreeze_epoch == 0 || number + 1 < config.unfreeze_epoch);
  }
  /// Whether it does in no epoch of the run.
  bool always_frozen() const {
    const std::int64_t epochs = (total_steps + steps_per_epoch - 1) / steps_per_epoch;
    return epochs > 0 && frozen_in(static_cast<int>(epochs) - 1);
  }
  /// Training mode; which parameters train is the epoch's choice.
  void begin_training();
  /// One step, by a CUDA graph where that is asked for; it adds to the sums.
  void step(std::span<const data::Batch> batches);
  /// The same, made longer by --handicap; on a GPU each step is then waited for, which costs time
  /// too.
  void handicapped_step(std::span<const data::Batch> batches);
  /// Of a step's batches, or of those that the loader prepares.
  std::vector<std::int64_t> batch_shape(const std::vector<data::Batch>& batches) const {
    if (!batches.empty()) return batches.front().images.sizes().vec();
    return {config.batch_size, set.channels, set.height, set.width};
  }
  TrainStepContext context() {
    return {.model = *model,
            .criterion = criterion,
            .optimizer = *optimizer,
            .scaler = scaler,
            .precision = config.precision,
            .clip_norm = config.clip_norm,
            .ema = ema ? &*ema : nullptr,
            .sums = &sums};
  }

  const TrainConfig config;
  const data::ImageDataset& set;
  torch::Device device;
  device::Float32PrecisionGuard float32;
  device::DeterminismGuard determinism;
  std::optional<kernels::CpuKernelsGuard> cpu_kernels;
  data::Split split;
  Loss criterion;
  TrainingSums sums;
  data::LoaderOptions loading;
  data::Loader train_loader;
  data::Loader validation_loader;
  std::shared_ptr<nn::ImageClassifier> model;
  std::string weights_report;
  std::string weights_digest;  ///< of the file that the run began with; empty: none
  std::unique_ptr<Optimizer> optimizer;
  amp::GradScaler scaler;
  std::optional<Ema> ema;
  std::optional<GraphedStep> graphed;
  Schedule schedule;
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t steps_done = 0;
  int epochs_done = 0;
  EpochAccumulator epoch;
  WindowFunction on_window;    ///< empty: nobody wants to know
  bool has_gradients = false;  ///< of a training step, and not of warm-up
  bool loader_in_place = false;
  bool backbone_frozen = false;
  std::int64_t skipped_in_a_row = 0;
  std::int64_t skipped_at_last_check = 0;
};

}  // namespace mpbench::train

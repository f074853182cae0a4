#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_set.hpp"
#include "mpbench/train/config.hpp"
#include "mpbench/train/loss.hpp"

namespace mpbench::train {

/// Training broke down: a NaN loss, or a loss scale that fell to 0. The message names the step.
class Diverged : public Error {
 public:
  using Error::Error;
};

/// One pass over the training images.
struct EpochResult {
  int epoch = 0;  ///< counted from 1
  std::int64_t steps = 0;
  std::int64_t images = 0;
  double train_loss = 0;             ///< mean over the epoch's batches
  double train_accuracy = 0;         ///< while training, before each update
  double lr = 0;                     ///< of the last step
  std::optional<double> loss_scale;  ///< after the epoch; fp16 only
  std::int64_t skipped_steps = 0;
  double time_s = 0;       ///< wall clock, data included, device finished
  double data_wait_s = 0;  ///< part of it spent waiting for batches
  /// Compute time of each step; on CUDA the mean step of each window between two synchronisations.
  std::vector<double> step_s;
  bool complete = true;  ///< false: stopped by Ctrl-C
};

/// What the network says of one validation image.
struct Prediction {
  std::int64_t index = 0;  ///< into ImageSet::samples
  double score =
      0;  ///< probability of the positive class; of the true class when there are more than two
  int predicted = 0;
};

struct ValidationResult {
  double loss = 0;
  double accuracy = 0;
  std::optional<double> auc;  ///< binary sets with both classes in validation
  std::optional<double> pf1;  ///< binary sets
  std::vector<Prediction> predictions;
};

/// A model on its way: everything a run needs between two epochs. The loop around it, and all
/// measuring, belong to whoever drives it (bench/runner).
class Trainer {
 public:
  /// Seeds torch, splits the data, measures its normalisation, makes model and optimizer on the
  /// device. `config` must have passed validate(). The set must outlive the trainer.
  Trainer(const TrainConfig& config, const data::ImageSet& set);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Runs config.warmup_steps steps (one-time costs: kernel choice, thread pools, allocations),
  /// then puts weights, optimizer, scaler and random state back. Returns seconds from the process's
  /// start to the end of the first step, nothing when there are no warm-up steps.
  std::optional<double> warm_up();

  /// Trains the next epoch, or what is left of config.steps. Reports after each step. Throws
  /// Diverged.
  EpochResult train_epoch(const ProgressFunction& progress);

  /// Whether epochs or steps are left.
  bool finished() const;

  ValidationResult validate(const ProgressFunction& progress);

  const data::Split& split() const;
  std::int64_t parameters() const;
  /// How float16 convolutions are computed: "native", "emulated in fp32" ...; empty unless fp16 on
  /// the CPU.
  std::string fp16_convolution() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mpbench::train

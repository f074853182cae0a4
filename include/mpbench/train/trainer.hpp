#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/train/checkpoint.hpp"
#include "mpbench/train/config.hpp"
#include "mpbench/train/errors.hpp"
#include "mpbench/train/evaluation.hpp"

namespace mpbench::train {

/// What training steps took: of a block, an epoch or a run.
struct StepStats {
  std::int64_t steps = 0;
  std::int64_t images = 0;
  std::optional<std::int64_t> positives{};  ///< images of the positive class; two classes only
  double time_s = 0;                        ///< wall clock, data included, device finished
  double data_wait_s = 0;                   ///< part of it spent waiting for batches
  std::vector<double> step_s{};  ///< compute time of each step, by events in the stream on CUDA
  bool complete = true;          ///< false: there were steps left, as Ctrl-C stopped them

  StepStats& operator+=(const StepStats& other);
};

/// One pass over the training images.
struct EpochResult : StepStats {
  int epoch = 0;                     ///< counted from 1
  bool cut_short = false;            ///< it has steps left: the run, or the user, ended it
  double train_loss = 0;             ///< mean over the epoch's steps
  double train_accuracy = 0;         ///< while training, before each update
  double lr = 0;                     ///< of the last step
  std::optional<double> loss_scale;  ///< after the epoch; fp16 only
  std::int64_t skipped_steps = 0;
};

/// A few steps in a row, as the host learns of them while it trains: one on the CPU, up to ten on
/// CUDA.
struct StepWindow {
  std::int64_t steps = 0;
  std::int64_t steps_done = 0;         ///< of the run, at their end
  double loss_sum = 0;                 ///< over these steps; finite
  double step_s = 0;                   ///< compute time of all of them
  double lr = 0;                       ///< of the last
  std::optional<double> loss_scale{};  ///< after the last; fp16 only
  std::int64_t skipped_steps = 0;      ///< since the run began; fp16 only
};
using WindowFunction = std::function<void(const StepWindow&)>;

/// A parameter between two steps: its name, its values, and their gradients, which are none where
/// it has none.
using ParameterFunction = std::function<void(
    const std::string& name, std::span<const float> weights, std::span<const float> gradient)>;

/// A model on its way: everything a run needs between two steps. The loop around it, and all
/// measuring, belong to whoever drives it (bench/runner). It computes on the default streams of one
/// device and knows nothing of ranks: whoever trains on several adds the exchange of gradients
/// around it.
class Trainer {
 public:
  static constexpr std::int64_t all_steps = std::numeric_limits<std::int64_t>::max();

  /// Seeds torch, splits the data, measures its normalisation, makes model and optimizer on the
  /// device. `config` must have passed validate(). The set must outlive the trainer.
  /// `will_restore`: the weights file is not read, as a state takes its place. Throws UsageError
  /// for options that do not go with the images.
  Trainer(const TrainConfig& config, const data::ImageDataset& set, bool will_restore = false);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Runs config.warmup_steps steps (one-time costs: kernel choice, thread pools, allocations),
  /// then puts weights, optimizer, scaler and random state back. Returns seconds from the process's
  /// start to the end of the first step, nothing when there are no warm-up steps.
  std::optional<double> warm_up();

  /// Trains at most so many steps, and not past the end of the current epoch or of the run: a
  /// comparison can drive several trainers in turns: between two calls no thread of the loader
  /// runs. Reports after each step. Throws Diverged and OutOfMemory.
  StepStats train_steps(std::int64_t steps, const ProgressFunction& progress);

  /// Has train_steps() tell of its steps too, in windows of them: between two steps, and of numbers
  /// that the host has anyway. What is called there takes time from training, but from no step.
  void on_window(WindowFunction told);

  /// Whether the current epoch, or the run, has no steps left.
  bool at_epoch_end() const;
  /// Whether steps of the current epoch were done and finish_epoch has not told of them.
  bool epoch_open() const;
  /// Whether the run ends here, by --steps, before its last epoch does. A longer run goes on in
  /// that epoch from a checkpoint that is made before finish_epoch().
  bool epoch_cut() const;

  /// Tells what the epoch's blocks came to; where it has no steps left, the next one can begin.
  EpochResult finish_epoch();

  /// Whether epochs or steps are left.
  bool finished() const;

  /// With the averaged weights where there is a moving average. Throws Diverged, naming epoch and
  /// step, for a weight, an output or a loss that is not finite.
  ValidationResult validate(const ProgressFunction& progress);

  /// The state between two steps: parameters, optimizer, scaler, averages, random numbers, place in
  /// the epoch. On the CPU a trainer that took it over goes on bit for bit as this one does.
  Checkpoint checkpoint() const;

  /// Calls visit() for every parameter, with float32 values on the host that lie in no certain
  /// order. The gradients are those of the last step that this trainer did, not scaled and after
  /// clipping; there are none where it did none, or where the gradient scaler skipped it. Waits for
  /// the device.
  void visit_parameters(const ParameterFunction& visit) const;

  /// Throws InputError where restore() would: naming the option, the images or the tensor that
  /// differs. Only the length of the run, and what does not change results, may.
  void require_same_run(const Checkpoint& checkpoint, const std::filesystem::path& path) const;
  /// Takes over a state of the same configuration and data.
  void restore(const Checkpoint& checkpoint, const std::filesystem::path& path);

  const data::Split& split() const;
  /// How many numbers the run trains: without a backbone that stays frozen to its end.
  std::int64_t parameters() const;
  std::int64_t steps_done() const;
  /// How many the run has, by its epochs or --steps.
  std::int64_t total_steps() const;
  /// Steps whose gradients were not finite, since the run began; 0 without a gradient scaler. Waits
  /// for the device.
  std::int64_t skipped_steps() const;
  /// The most memory in tensors while the CUDA graph of the step was recorded, other tensors
  /// included: a replay needs as much, and the allocator does not count it. Empty without a graph.
  std::optional<std::int64_t> graph_peak_bytes() const;
  /// How convolutions and matrix products of a mixed precision are computed on the CPU: "native",
  /// "emulated in fp32" ..., or "framework" with --emulation framework; empty elsewhere.
  std::string convolution_arithmetic() const;
  /// Which operators are not the framework's own on the CPU, for runs.csv; "framework" where all
  /// are.
  std::string cpu_kernels() const;
  /// What was taken from --weights, and what was left out; empty without.
  std::string weights_report() const;

  struct State;  ///< src/train/trainer_state.hpp

 private:
  std::unique_ptr<State> state_;
};

/// The part of Trainer::require_same_run that needs no images: throws InputError naming the option
/// that differs from those of the run that saved the state.
void require_same_options(const TrainConfig& config, const Checkpoint& checkpoint,
                          const std::filesystem::path& path);

/// The digest of the weights file that the run which saved a state began with; empty for none.
std::string weights_digest(const Checkpoint& checkpoint);

}  // namespace mpbench::train

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "mpbench/bench/pace.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/core/progress.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/profile/step_profiler.hpp"
#include "mpbench/stats/metrics.hpp"
#include "mpbench/train/checkpoint.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::bench {

/// Everything one training run leaves behind.
struct RunOutput {
  RunRecord run;
  std::vector<EpochRecord> epochs;
  data::Split split;                       ///< which images were trained on, which judged
  std::vector<PredictionRow> predictions;  ///< of the last complete validation
  stats::ConfusionMatrix confusion;        ///< of the same; no classes before one
  std::vector<std::string> classes;        ///< their names
  profile::StepProfile profile{};          ///< of the steps that were profiled, if any were
};

struct RunOptions {
  std::string run_id;
  std::int64_t repeat = 1;
  ProgressFunction progress;
  /// Who says when it trains; null: nobody, it trains from its start to its end.
  Pace* pace = nullptr;
  /// Whether epochs end with a validation; without, a run is for its speed alone.
  bool validated = true;
  /// Where states are kept, with TrainConfig::checkpoints; empty: nowhere.
  std::filesystem::path checkpoints;
  /// Where events for TensorBoard go; empty: nowhere.
  std::filesystem::path tensorboard{};
  /// To go on from; null: the run begins. Its tensors are let go once they are taken over.
  train::KeptState* state = nullptr;
  /// Where the trace of the profiled steps goes; empty: nowhere.
  std::filesystem::path trace{};
  /// Called once the run is certain to take place: its options go with its images and its state.
  std::function<void()> on_start{};
  /// Called after each epoch with all that there is so far, so that a killed run keeps it.
  std::function<void(const RunOutput&)> on_epoch;
};

/// Trains, measures and judges one model. What goes wrong while training ends up in `run.status`
/// and `run.error` with the epochs that were finished; only errors in the configuration and in the
/// state it goes on from are thrown. An interrupted run keeps its state first.
RunOutput run_training(const train::TrainConfig& config, const data::ImageDataset& set,
                       const RunOptions& options);

}  // namespace mpbench::bench

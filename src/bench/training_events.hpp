#pragma once

#include <cstdint>
#include <filesystem>

#include "mpbench/bench/run_record.hpp"
#include "mpbench/core/timer.hpp"
#include "mpbench/data/image_dataset.hpp"
#include "mpbench/tensorboard/event_file.hpp"
#include "mpbench/train/config.hpp"
#include "mpbench/train/trainer.hpp"

namespace mpbench::bench {

/// What a run tells TensorBoard while it trains; docs/tensorboard.md lists it. All is written
/// between epochs, where nothing is measured, but for a point of the curves over the steps: that is
/// a record of some hundred bytes, once a second at most, between two steps.
///
/// All throw Error where writing fails.
class TrainingEvents {
 public:
  /// Makes an event file in the folder, with the run's options, and in the folder's first with some
  /// of the images that it trains on. `steps_done`: by the state that it goes on from.
  TrainingEvents(const std::filesystem::path& folder, const train::TrainConfig& config,
                 const data::ImageDataset& set, const data::Split& split, std::int64_t steps_done);

  /// Adds steps to the curves.
  void add(const train::StepWindow& window);
  /// After the steps of an epoch, validated or not.
  void end_epoch(const train::EpochResult& epoch, const EpochRecord& record,
                 const train::Trainer& trainer);
  /// The record's figures of validation after so many steps.
  void add_validation(std::int64_t steps_done, const RunRecord& run);
  /// How the run ended; one that was interrupted may go on.
  void end_run(RunStatus status);

 private:
  void add_images(const train::TrainConfig& config, const data::ImageDataset& set,
                  const data::Split& split);
  /// The mean of the steps since the last point.
  void add_point();

  tensorboard::EventFile file_;
  train::StepWindow since_point_;
  Stopwatch since_written_;
};

}  // namespace mpbench::bench

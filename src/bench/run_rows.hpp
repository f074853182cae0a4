#pragma once

#include <c10/core/Device.h>

#include <string>

#include "mpbench/bench/runner.hpp"
#include "mpbench/train/evaluation.hpp"
#include "run_state.hpp"

/// What a run's rows say, from what it was told and what came of it.
namespace mpbench::bench {

/// The time of day, in UTC by ISO 8601: "2026-01-31T12:34:56Z".
std::string utc_now();

/// What is known before anything asks the device.
RunRecord describe_run(const train::TrainConfig& config, const data::ImageDataset& set,
                       const RunOptions& options, c10::Device device);

/// The device's name and CUDA's versions; throws what asking the device throws.
void describe_device(RunRecord& run, c10::Device device);

/// What a reader must know of the run's figures, for its note.
std::string notes_on(const train::TrainConfig& config, const data::ImageDataset& set,
                     c10::Device device);

/// What the steps came to. `has_scaler`: skipped steps are counted.
void fill_totals(RunRecord& run, const Totals& totals, bool has_scaler);

/// What training took.
void fill_use(RunRecord& run, const ResourceUse& use);

EpochRecord epoch_record(const std::string& run_id, const train::EpochResult& epoch);

/// The run's metrics, those of its last epoch's row, and its predictions.
void fill_validation(RunOutput& output, const train::ValidationResult& validation,
                     const data::ImageDataset& set);

}  // namespace mpbench::bench

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "mpbench/bench/meters.hpp"
#include "mpbench/bench/run_record.hpp"
#include "mpbench/train/trainer.hpp"

namespace mpbench::bench {

/// What the epochs of a run add up to while they pass.
struct Totals : train::StepStats {
  std::int64_t complete_epochs = 0;  ///< without one that --steps cut short
  std::int64_t skipped_steps = 0;

  void add(const train::EpochResult& epoch);
};

/// What a run knows between two steps beside the trainer's state; it travels in checkpoints.
struct RunState {
  Totals totals;
  std::vector<EpochRecord> epochs;
  /// What its training took so far, in all processes; empty before the first part.
  std::optional<ResourceUse> use;
};

nlohmann::json to_json(const RunState& state);
/// Throws nlohmann::json::exception for anything that to_json does not make.
RunState run_state_from(const nlohmann::json& state);

}  // namespace mpbench::bench

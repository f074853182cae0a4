#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "mpbench/bench/plan.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::commands {

/// What `mpbench explain` is told.
struct ExplainOptions {
  train::TrainConfig config;
  /// The baseline first; empty: fp32, and what --amp means on the device.
  std::vector<std::string> precisions;
  std::int64_t profile_steps = 5;
  double timed_s = 20;  ///< what the steps are timed in, without the profiler
  std::filesystem::path out;    ///< empty: a folder of this moment
  std::filesystem::path trace;  ///< empty: none
  bool json = false;

  ExplainOptions() { config.checkpoints = false; }
};

/// What is explained, as a grid of one configuration. `mixed` is the precision beside fp32 where
/// none are given.
bench::Grid explained_grid(const ExplainOptions& options, Precision mixed);

/// Throws UsageError for options that do nothing, and as train::validate for any of the precisions.
void validate(const ExplainOptions& options, const std::set<std::string>& given);

/// The options as TOML that `mpbench explain --config` reads back.
std::string to_toml(const ExplainOptions& options);

}  // namespace mpbench::commands

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "mpbench/train/config.hpp"

namespace mpbench::commands {

/// What `mpbench train` is told.
struct TrainOptions {
  train::TrainConfig config;
  bool amp = false;           ///< the device's own mixed precision, in place of config.precision
  std::filesystem::path out;  ///< empty: a folder of this moment
  std::string run_id;         ///< empty: the state's, or made of model and precision
  std::optional<std::int64_t> repeat{};  ///< nothing: the state's, or 1
  bool resume = false;
  /// Trains in turns with others, as the process that started this one says: bench/pace.hpp.
  bool take_turns = false;
  bool no_validation = false;         ///< for its speed alone
  bool tensorboard = false;           ///< events for it, below `out`
  std::filesystem::path resume_from;  ///< empty: none

  /// Whether the run goes on from a state that another process left.
  bool continues() const { return resume || !resume_from.empty(); }
};

/// Throws as train::validate, and UsageError for options of the command that make no sense. `given`
/// are the flags on the command line, without their dashes.
void validate(const TrainOptions& options, const std::set<std::string>& given);

}  // namespace mpbench::commands

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mpbench/train/config.hpp"

namespace mpbench::bench {

/// An option of TrainConfig that a comparison varies, and its values as on the command line.
struct Axis {
  std::string option;  ///< the flag without its dashes: "batch-size"
  std::vector<std::string> values;
};

/// What a comparison runs: every combination of the axes' values, each `repeats` times.
struct Grid {
  /// Which value is the baseline, and what comes last in a run's id.
  static constexpr std::string_view arm_option = "precision";

  train::TrainConfig config;  ///< what all runs share; the axes replace their options
  std::vector<Axis> axes;     ///< that of arm_option among them; its first value is the baseline
  int repeats = 1;

  /// The axis of an option; null where it does not vary.
  const Axis* find(std::string_view option) const;
  /// The values of arm_option, the baseline first.
  const std::vector<std::string>& arms() const;
};

/// One run to do.
struct RunSpec {
  train::TrainConfig config;  ///< options that do nothing in this run are at their defaults
  int repeat = 1;             ///< from 1
  std::string run_id;         ///< "cnn-b32-i124-cl-s0-bf16-r2": fit for a file name
};

/// Every combination once, with all options as given. Throws UsageError for an empty axis, a value
/// that is listed twice or is none of its option's, and over 10,000 runs.
std::vector<train::TrainConfig> configurations(const Grid& grid);

/// Every run in the order to do them. Repeats are outermost and the arms innermost, so that the
/// runs that are compared follow one another; the arms are rotated by repeat and configuration, so
/// that none is always first. Throws as configurations() and train::validate() do.
std::vector<RunSpec> make_plan(const Grid& grid);

/// Whether a name can be part of a file's name: letters, digits, '.', '_' and '-', and no '.' at
/// its beginning.
bool is_file_name(const std::string& name);

/// The id make_plan gives: model, batch size, image size, memory format and seed, then the values
/// of all other axes, then the arm and the repeat.
std::string make_run_id(const train::TrainConfig& config, int repeat,
                        const std::vector<Axis>& axes = {});

/// A run's id without its repeat.
std::string_view without_repeat(std::string_view run_id);

}  // namespace mpbench::bench

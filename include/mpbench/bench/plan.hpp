#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/bench/arm_kind.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::bench {

/// An option of TrainConfig that a comparison varies, and its values as on the command line.
struct Axis {
  std::string option;  ///< the flag without its dashes: "batch-size"
  std::vector<std::string> values;
};

/// What a comparison is about: every combination of the axes' values. Those that differ in one
/// option alone, arm_option, are the arms of one configuration and are compared.
struct Grid {
  train::TrainConfig config;  ///< what all runs share; the axes replace their options
  std::vector<Axis> axes;     ///< that of arm_option among them; its first value is the baseline
  std::string arm_option = "precision";
  /// Of the repeats: repeat r has the r-th. One alone: repeat r has it plus r - 1.
  std::vector<std::uint64_t> seeds{0};
  int repeats = 5;  ///< trainings of each arm to the end, each with its own seed
  /// Another build of this program that is an arm too: the baseline's options, run by it. Empty:
  /// none. The other arms are then left out.
  std::filesystem::path other_program;
  /// One factor after another is changed, each arm is compared with the one before; the axis of
  /// arm_option has one value. Empty: no ladder.
  std::vector<Axis> ladder;

  /// The axis of an option; null where it does not vary.
  const Axis* find(std::string_view option) const;
  /// The axis of an option, which is added where it does not vary.
  Axis& axis(const std::string& option);
  /// The values of arm_option, the baseline first.
  const std::vector<std::string>& arms() const;
};

/// What the null arm is called.
inline constexpr std::string_view null_arm_name = "null";

/// One of the processes of a session.
struct Arm {
  std::string name;  ///< "bf16", "threads=2", "null": of its own within a configuration
  ArmKind kind = ArmKind::arm;
  std::string compared_with;  ///< the arm's name that it is compared with; the baseline's: empty
  train::TrainConfig config;  ///< options that do nothing in this run are at their defaults
  std::filesystem::path program;  ///< empty: this one
  std::string id;                 ///< "cnn-b32-i124-cl-s0-bf16": fit for a file name
};

/// What is compared with one another.
struct Configuration {
  std::string name;       ///< "cnn-b32-i124-cl-s0", and the values of the other axes
  std::vector<Arm> arms;  ///< the baseline first, the null arm last
};

/// One run to do.
struct RunSpec {
  train::TrainConfig config;
  int repeat = 1;                   ///< from 1; the session's number
  std::string run_id;               ///< "cnn-b32-i124-cl-s0-bf16-r2": fit for a file name
  std::filesystem::path program{};  ///< empty: this one
};

/// Every combination once, with all options as given. Throws UsageError for an empty axis, a value
/// that is listed twice or is none of its option's, and over 10,000 runs.
std::vector<train::TrainConfig> configurations(const Grid& grid);

/// What is compared with what. Throws as configurations() and train::validate() do.
std::vector<Configuration> make_plan(const Grid& grid);

/// The seed of a repeat, from 1. The null arm has another than all others: two trainings of one
/// seed would agree to the last bit on a CPU, and show no chance.
std::uint64_t seed_of(const Grid& grid, ArmKind kind, int repeat);

/// An arm's run in a session.
RunSpec make_run(const Grid& grid, const Arm& arm, int repeat);

/// Whether a name can be part of a file's name: letters, digits, '.', '_' and '-', and no '.' at
/// its beginning.
bool is_file_name(const std::string& name);

/// A run's id without its repeat.
std::string_view without_repeat(std::string_view run_id);

}  // namespace mpbench::bench

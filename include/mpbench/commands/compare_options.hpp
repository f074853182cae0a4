#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "mpbench/bench/comparison_options.hpp"
#include "mpbench/bench/plan.hpp"

namespace mpbench::commands {

/// What `mpbench compare` is told.
struct CompareOptions {
  bench::Grid grid{.config = {},
                   .axes = {{"precision", {"fp32", "bf16"}},
                            {"model", {"cnn"}},
                            {"batch-size", {"32"}},
                            {"image-size", {"0"}},
                            {"channels-last", {"true"}},
                            {"seed", {"0"}}},
                   .repeats = 3};
  bench::ComparisonOptions comparison;
  std::filesystem::path out;  ///< empty: a folder of this moment
  bool resume = false;
  double max_time_s = 0;  ///< all runs together; 0: as long as epochs and steps take

  // A sweep of a hundred runs would keep a hundred models that nobody asked for.
  CompareOptions() { grid.config.checkpoints = false; }
};

/// Throws UsageError for lists that make no comparison and for options that do nothing in any run,
/// and as train::validate for any of them. `given` are the flags on the command line, without their
/// dashes.
void validate(const CompareOptions& options, const std::set<std::string>& given);

/// The whole comparison as TOML that `mpbench compare --config` reads back.
std::string to_toml(const CompareOptions& options);

}  // namespace mpbench::commands

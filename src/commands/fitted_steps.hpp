#pragma once

#include <cstdint>
#include <vector>

#include "mpbench/bench/plan.hpp"
#include "mpbench/commands/compare_options.hpp"

namespace mpbench::commands {

struct FittedSteps {
  std::int64_t steps = 0;  ///< of each run
  double seconds = 0;      ///< that all runs will take together
};

/// Chooses the steps, the same for every run of the plan, with which all of them take at most
/// options.max_time_s together, from a short run of each arm; the time of these runs counts too.
/// At most as many as options.config asks for. Throws UsageError where the time is too short for
/// the runs' starts, Interrupted on Ctrl-C.
FittedSteps fit_steps(const CompareOptions& options, const std::vector<bench::RunSpec>& plan);

}  // namespace mpbench::commands

#pragma once

#include <cstdint>
#include <vector>

#include "mpbench/bench/executor.hpp"
#include "mpbench/bench/plan.hpp"

namespace mpbench::bench {

/// The steps of each run that let all of them end in time, and how long they will take.
struct FittedSteps {
  std::int64_t steps = 0;
  double seconds = 0;
};

/// Does a short trial of each configuration of the plan by `trials`, and chooses the largest number
/// of steps, the same for all, with which the plan ends in `max_time_s`, trials included; at most
/// those that the configurations ask for. Throws UsageError where even a few steps each take
/// longer, and Interrupted.
FittedSteps fit_steps(const std::vector<RunSpec>& plan, Executor& trials, double max_time_s);

}  // namespace mpbench::bench

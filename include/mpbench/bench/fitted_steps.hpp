#pragma once

#include <cstdint>
#include <vector>

#include "mpbench/bench/executor.hpp"
#include "mpbench/bench/plan.hpp"

namespace mpbench::bench {

/// How a comparison fills its time, by short trials of its arms.
struct ComparisonEstimate {
  std::int64_t steps = 0;  ///< of each training; 0: as its configuration says
  double seconds = 0;      ///< all trainings, and the sessions up to the first look
};

/// Does a short trial of each arm by `trials`, and estimates how long trainings, `grid.repeats` of
/// each, and `sessions` sessions take. Where `max_time_s` is not 0, chooses the largest number of
/// steps, the same for all, with which they end in it, trials included; at most those that the
/// configurations ask for. Throws UsageError where even a few steps each take longer, and
/// Interrupted.
ComparisonEstimate fit_steps(const Grid& grid, const std::vector<Configuration>& plan,
                             Executor& trials, int sessions, double max_time_s);

/// The same for a comparison of speeds alone: there are no steps to choose.
ComparisonEstimate estimate_sessions(const Grid& grid, const std::vector<Configuration>& plan,
                                     Executor& trials, int sessions);

}  // namespace mpbench::bench

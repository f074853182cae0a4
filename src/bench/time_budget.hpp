#pragma once

#include <cstdint>
#include <span>

namespace mpbench::bench {

/// What a run costs, as a short run of the same arm took.
struct RunCost {
  double fixed_s = 0;       ///< all but the steps: start, warm-up, the first validation, tables
  double step_s = 0;        ///< a step
  double validation_s = 0;  ///< each further epoch's validation
  std::int64_t steps_per_epoch = 1;
};

/// Seconds that a run of so many steps will take.
double run_seconds(const RunCost& cost, std::int64_t steps);

/// The largest number of steps, at most `most`, with which runs of these costs, all of the same
/// number of steps, take no longer than `budget_s` together; 0 where one step each already does.
std::int64_t steps_within(double budget_s, std::span<const RunCost> runs, std::int64_t most);

}  // namespace mpbench::bench

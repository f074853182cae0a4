#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpbench/core/random.hpp"

namespace mpbench::bench {

/// How a session is cut into turns.
struct BlockPlan {
  int rounds = 0;                   ///< that count; one more comes before them and does not
  std::vector<std::int64_t> steps;  ///< a block of each process
};

/// What the plan has to keep to.
struct BlockLimits {
  double budget_s = 0;           ///< for all blocks of the session together; 0: as long as it takes
  std::int64_t total_steps = 0;  ///< that a run has for its blocks; 0: no end
  int rounds = 8;
};

/// Blocks of about a second of the first process, the baseline's, and five steps or more; all take
/// the same number of steps, but a process that is slower by more than a fifth only so many as fit
/// the baseline's seconds. Where
/// the budget is short the blocks get shorter, down to a quarter of a second, then the rounds
/// fewer, down to six, then the blocks shorter still. `step_s`: seconds a step of each process,
/// above 0.
BlockPlan plan_blocks(std::span<const double> step_s, const BlockLimits& limits);

/// How long the blocks of a plan take together, in seconds.
double block_seconds(const BlockPlan& plan, std::span<const double> step_s);

/// The turns of one round: every process once in random order, and then the same backwards, so that
/// a drift that is linear in time meets all alike.
std::vector<std::size_t> round_order(std::size_t processes, SplitMix64& random);

}  // namespace mpbench::bench

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mpbench/core/random.hpp"

namespace mpbench::bench {

/// How a session is cut into turns.
struct BlockPlan {
  int rounds = 0;  ///< that count; before them each process has a block that does not
  std::vector<std::int64_t> steps;  ///< a block of each process
};

/// What the plan has to keep to.
struct BlockLimits {
  double budget_s = 0;           ///< for all blocks of the session together; 0: as long as it takes
  std::int64_t total_steps = 0;  ///< that a run has for its blocks; 0: no end
  int rounds = 8;
};

/// Blocks of about a second of the baseline, and five steps or more; all take the same number of
/// steps, but a process that is slower by more than a fifth only so many as fit the baseline's
/// seconds. Where the budget is short the blocks get shorter, down to a quarter of a second, then
/// the rounds fewer, down to six, then the blocks shorter still, down to a step. `step_s`: seconds
/// a step of each process, above 0.
BlockPlan plan_blocks(std::span<const double> step_s, const BlockLimits& limits);

/// How long the blocks of a plan take together, in seconds.
double block_seconds(const BlockPlan& plan, std::span<const double> step_s);

/// The order in which the processes of a session, counted from 1, start and warm up. What starts
/// first may stay slower than what starts last, by a per cent or two: so in as many sessions as
/// there are processes each has every place once, and in twice as many each follows every other of
/// two or three equally often.
std::vector<std::size_t> start_order(std::size_t processes, int session, std::uint64_t seed);

/// The turns of one round: every process once in random order, and then the same backwards, so that
/// a drift that is linear in time meets all alike. `middle` is the process that trains twice in a
/// row, and so finds its data in the processor's caches: each is to have its turn at that.
std::vector<std::size_t> round_order(std::size_t processes, std::size_t middle, SplitMix64& random);

}  // namespace mpbench::bench

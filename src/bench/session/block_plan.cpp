#include "block_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mpbench::bench {
namespace {

constexpr int fewest_planned_rounds = 6;
constexpr std::int64_t fewest_steps = 5;
/// Seconds of a block, from what is wanted to what is still worth something.
constexpr double block_lengths[] = {1, 0.7, 0.5, 0.35, 0.25};
/// Copies of one thing differ by chance, and are to have the same steps.
constexpr double notably_slower = 1.2;
constexpr double next_shorter = 0.85;

std::vector<std::int64_t> steps_within(std::span<const double> step_s, double length_s,
                                       std::int64_t least) {
  const auto most = std::max(
      least, static_cast<std::int64_t>(std::ceil(length_s / std::max(step_s.front(), 1e-9))));
  std::vector<std::int64_t> steps;
  for (const double seconds : step_s) {
    const auto fitting = static_cast<std::int64_t>(length_s / std::max(seconds, 1e-9));
    const bool slow = seconds > notably_slower * step_s.front();
    steps.push_back(slow ? std::clamp(fitting, std::min(least, most), most) : most);
  }
  return steps;
}

/// Fewer steps a block, and then fewer rounds, so that a run does not end before its blocks do.
void shorten(BlockPlan& plan, std::int64_t total_steps) {
  const auto fits = [&](std::int64_t rounds, std::int64_t steps) {
    return 2 * (rounds + 1) * steps < total_steps;
  };
  const std::int64_t longest = *std::max_element(plan.steps.begin(), plan.steps.end());
  if (fits(plan.rounds, longest)) return;
  const std::int64_t most = std::max<std::int64_t>(1, (total_steps - 1) / (2 * (plan.rounds + 1)));
  for (std::int64_t& steps : plan.steps) steps = std::min(steps, most);
  while (plan.rounds > 1 && !fits(plan.rounds, most)) --plan.rounds;
}

}  // namespace

double block_seconds(const BlockPlan& plan, std::span<const double> step_s) {
  double round_s = 0;
  for (std::size_t i = 0; i < step_s.size(); ++i) {
    round_s += 2 * static_cast<double>(plan.steps[i]) * step_s[i];
  }
  return round_s * (plan.rounds + 1);
}

BlockPlan plan_blocks(std::span<const double> step_s, const BlockLimits& limits) {
  const auto fits = [&](const BlockPlan& plan) {
    return limits.budget_s <= 0 || block_seconds(plan, step_s) <= limits.budget_s;
  };
  const auto plan_of = [&](int rounds, double length_s, std::int64_t least) {
    return BlockPlan{.rounds = rounds, .steps = steps_within(step_s, length_s, least)};
  };
  BlockPlan plan;
  const auto choose = [&] {
    for (const double length_s : block_lengths) {
      plan = plan_of(limits.rounds, length_s, fewest_steps);
      if (fits(plan)) return;
    }
    for (int rounds = limits.rounds - 1; rounds >= fewest_planned_rounds; --rounds) {
      plan = plan_of(rounds, std::end(block_lengths)[-1], fewest_steps);
      if (fits(plan)) return;
    }
    const int rounds = std::min(limits.rounds, fewest_planned_rounds);
    double length_s = std::end(block_lengths)[-1];
    do {
      length_s *= next_shorter;
      plan = plan_of(rounds, length_s, 1);
    } while (!fits(plan) && length_s > step_s.front());
  };
  choose();
  if (limits.total_steps > 0) shorten(plan, limits.total_steps);
  return plan;
}

std::vector<std::size_t> round_order(std::size_t processes, SplitMix64& random) {
  std::vector<std::size_t> order(processes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, random);
  for (std::size_t i = processes; i-- > 0;) order.push_back(order[i]);
  return order;
}

}  // namespace mpbench::bench

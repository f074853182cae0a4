#include "block_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mpbench::bench {
namespace {

constexpr int fewest_planned_rounds = 6;
/// Of the length of a round: every process once.
constexpr double warm_up_rounds = 0.5;
constexpr std::int64_t fewest_steps = 5;
/// Seconds of a block: what is wanted, and what is still better than a round more.
constexpr double longest_block_s = 1;
constexpr double shortest_block_s = 0.25;
/// Copies of one thing differ by chance, and are to have the same steps.
constexpr double notably_slower = 1.2;

/// Of each process, where the first, the baseline, takes `steps`.
std::vector<std::int64_t> steps_beside(std::span<const double> step_s, std::int64_t steps) {
  const double length_s = static_cast<double>(steps) * step_s.front();
  std::vector<std::int64_t> all;
  for (const double seconds : step_s) {
    const auto fitting = static_cast<std::int64_t>(length_s / seconds);
    const bool slow = seconds > notably_slower * step_s.front();
    all.push_back(slow ? std::clamp(fitting, std::min(fewest_steps, steps), steps) : steps);
  }
  return all;
}

/// Steps that take so long.
std::int64_t steps_of(double length_s, double step_s) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(length_s / step_s)));
}

/// Within a budget of time: `rounds` of the longest blocks that fit, down to `least` steps of the
/// baseline; those where none do.
BlockPlan longest_blocks(std::span<const double> step_s, int rounds, std::int64_t least,
                         double budget_s) {
  const auto plan_of = [&](std::int64_t steps) {
    return BlockPlan{.rounds = rounds, .steps = steps_beside(step_s, steps)};
  };
  std::int64_t fitting = least;
  std::int64_t too_many =
      std::max(std::max(least, fewest_steps), steps_of(longest_block_s, step_s.front())) + 1;
  while (too_many - fitting > 1) {
    const std::int64_t middle = fitting + (too_many - fitting) / 2;
    const bool fits = budget_s <= 0 || block_seconds(plan_of(middle), step_s) <= budget_s;
    (fits ? fitting : too_many) = middle;
  }
  return plan_of(fitting);
}

/// Fewer steps a block, and then fewer rounds, so that a run does not end before its blocks do.
void shorten(BlockPlan& plan, std::int64_t total_steps) {
  const auto fits = [&](std::int64_t rounds, std::int64_t steps) {
    return (2 * rounds + 1) * steps < total_steps;
  };
  const std::int64_t longest = *std::max_element(plan.steps.begin(), plan.steps.end());
  if (fits(plan.rounds, longest)) return;
  const std::int64_t most = std::max<std::int64_t>(1, (total_steps - 1) / (2 * plan.rounds + 1));
  for (std::int64_t& steps : plan.steps) steps = std::min(steps, most);
  while (plan.rounds > 1 && !fits(plan.rounds, most)) --plan.rounds;
}

std::vector<std::size_t> shuffled_places(std::size_t count, SplitMix64& random) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  shuffle(places, random);
  return places;
}

}  // namespace

double block_seconds(const BlockPlan& plan, std::span<const double> step_s) {
  double round_s = 0;
  for (std::size_t i = 0; i < step_s.size(); ++i) {
    round_s += 2 * static_cast<double>(plan.steps[i]) * step_s[i];
  }
  return round_s * (plan.rounds + warm_up_rounds);
}

BlockPlan plan_blocks(std::span<const double> step_s, const BlockLimits& limits) {
  const std::int64_t worthwhile =
      std::max(fewest_steps, steps_of(shortest_block_s, step_s.front()));
  const int fewest_rounds = std::min(limits.rounds, fewest_planned_rounds);
  const auto fits = [&](const BlockPlan& plan) {
    return limits.budget_s <= 0 || block_seconds(plan, step_s) <= limits.budget_s;
  };
  BlockPlan plan;
  for (int rounds = limits.rounds; rounds >= fewest_rounds; --rounds) {
    plan = longest_blocks(step_s, rounds, worthwhile, limits.budget_s);
    if (fits(plan)) break;
  }
  if (!fits(plan)) plan = longest_blocks(step_s, fewest_rounds, 1, limits.budget_s);
  if (limits.total_steps > 0) shorten(plan, limits.total_steps);
  return plan;
}

std::vector<std::size_t> start_order(std::size_t processes, int session, std::uint64_t seed) {
  const auto square = static_cast<std::size_t>(session - 1) / processes;
  const auto row = static_cast<std::size_t>(session - 1) % processes;
  // Two squares belong together: the second is the first one's mirror.
  SplitMix64 random(mix_seed(seed, square / 2));
  std::vector<std::size_t> first = shuffled_places(processes, random);
  if (square % 2 == 1) std::reverse(first.begin(), first.end());
  SplitMix64 random_row(mix_seed(seed, ~square));
  const std::size_t shift = shuffled_places(processes, random_row)[row];
  std::rotate(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(shift), first.end());
  return first;
}

std::vector<std::size_t> round_order(std::size_t processes, std::size_t middle,
                                     SplitMix64& random) {
  std::vector<std::size_t> order = shuffled_places(processes, random);
  std::iter_swap(std::find(order.begin(), order.end(), middle), order.end() - 1);
  for (std::size_t i = processes; i-- > 0;) order.push_back(order[i]);
  return order;
}

}  // namespace mpbench::bench

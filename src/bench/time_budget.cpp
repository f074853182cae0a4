#include "time_budget.hpp"

#include <algorithm>

namespace mpbench::bench {

double run_seconds(const RunCost& cost, std::int64_t steps) {
  const std::int64_t further_epochs = (std::max<std::int64_t>(steps, 1) - 1) / cost.steps_per_epoch;
  return cost.fixed_s + cost.step_s * static_cast<double>(steps) +
         cost.validation_s * static_cast<double>(further_epochs);
}

std::int64_t steps_within(double budget_s, std::span<const RunCost> runs, std::int64_t most) {
  const auto fits = [&](std::int64_t steps) {
    double seconds = 0;
    for (const RunCost& cost : runs) seconds += run_seconds(cost, steps);
    return seconds <= budget_s;
  };
  std::int64_t fitting = 0;
  std::int64_t too_many = std::max<std::int64_t>(most, 0) + 1;
  while (too_many - fitting > 1) {
    const std::int64_t middle = fitting + (too_many - fitting) / 2;
    (fits(middle) ? fitting : too_many) = middle;
  }
  return fitting;
}

}  // namespace mpbench::bench

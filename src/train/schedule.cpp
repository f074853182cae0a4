#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mpbench::train {

double Schedule::lr(std::int64_t step) const {
  if (step < warmup_steps) {
    return base_lr * static_cast<double>(step + 1) / static_cast<double>(warmup_steps);
  }
  if (kind == ScheduleKind::constant) return base_lr;
  const auto length = static_cast<double>(std::max<std::int64_t>(1, total_steps - warmup_steps));
  const double t = std::min(1.0, static_cast<double>(step - warmup_steps) / length);
  return min_lr + (base_lr - min_lr) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

}  // namespace mpbench::train

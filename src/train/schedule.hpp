#pragma once

#include <cstdint>

#include "mpbench/train/schedule_options.hpp"

namespace mpbench::train {

/// The learning rate over a run: a linear rise from 0 over the warm-up, then constant, or half a
/// cosine down to min_lr.
struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double base_lr = 1e-3;
  std::int64_t total_steps = 1;
  std::int64_t warmup_steps = 0;
  double min_lr = 0;  ///< cosine: where it ends, one step after the last

  /// The rate of step `step`, counted from 0. Warm-up: base*(step+1)/warmup; cosine:
  /// min + (base-min)*(1+cos(pi*t))/2 with t from 0 at the warm-up's end to 1 after the last step
  /// (Loshchilov & Hutter 2017, eq. 5, one period). As torch.optim.lr_scheduler's
  /// SequentialLR(LinearLR(1/warmup, 1, warmup-1), CosineAnnealingLR(total-warmup, min)).
  double lr(std::int64_t step) const;
};

}  // namespace mpbench::train

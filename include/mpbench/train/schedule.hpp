#pragma once

#include <cstdint>
#include <string>

namespace mpbench::train {

/// The learning rate over a run: a linear rise from 0 over the warm-up, then constant, or half a
/// cosine down to 0.
struct Schedule {
  std::string name = "constant";  ///< "constant" or "cosine"
  double base_lr = 1e-3;
  std::int64_t total_steps = 1;
  std::int64_t warmup_steps = 0;

  /// The rate of step `step`, counted from 0. Warm-up: base*(step+1)/warmup; cosine:
  /// base*(1+cos(pi*t))/2 with t from 0 at the warm-up's end to 1 after the last step (Loshchilov &
  /// Hutter 2017, eq. 5, one period).
  double lr(std::int64_t step) const;
};

}  // namespace mpbench::train

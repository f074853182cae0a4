#pragma once

#include <cstdint>

namespace mpbench::amp {

/// The defaults are those of torch.amp.GradScaler.
struct GradScalerOptions {
  double init_scale = 65536.0;
  double growth_factor = 2.0;   ///< multiplies the scale after growth_interval good steps; > 1
  double backoff_factor = 0.5;  ///< multiplies the scale after a step with inf or NaN; < 1
  std::int64_t growth_interval = 2000;
  bool enabled = true;  ///< false: scale() is the identity, step() a plain step, state() empty
};

}  // namespace mpbench::amp

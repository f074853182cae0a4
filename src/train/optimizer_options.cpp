#include "mpbench/train/optimizer_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"
#include "mpbench/core/require.hpp"

namespace mpbench::train {

void validate(const OptimizerOptions& options) {
  require(is_positive_float(options.lr), "--lr", options.lr, positive_float_range);
  require(is_finite_float(options.weight_decay) && options.weight_decay >= 0.0, "--weight-decay",
          options.weight_decay, "0 or more, and finite in float32");
  require(options.momentum >= 0.0 && options.momentum < 1.0, "--momentum", options.momentum,
          "0 or more, and below 1");
  require(options.beta1 >= 0.0 && options.beta1 < 1.0, "beta1", options.beta1, "in [0, 1)");
  require(options.beta2 >= 0.0 && options.beta2 < 1.0, "beta2", options.beta2, "in [0, 1)");
  require(is_finite_float(options.eps) && options.eps >= 0.0, "eps", options.eps, ">= 0");
  if (options.nesterov) {
    require(options.kind == OptimizerKind::sgd, "--nesterov with --optimizer",
            enum_name(options.kind), "sgd: the others have no momentum to look ahead with");
    require(options.momentum > 0.0, "--nesterov with --momentum", options.momentum, "above 0");
  }
}

}  // namespace mpbench::train

#include "mpbench/train/loss_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/error.hpp"
#include "mpbench/core/require.hpp"

namespace mpbench::train {

void validate(const LossOptions& options) {
  require(is_finite_float(options.focal_gamma) && options.focal_gamma >= 0, "--focal-gamma",
          options.focal_gamma, "0 or more, and finite in float32");
  require(options.label_smoothing >= 0 && options.label_smoothing < 1, "--label-smoothing",
          options.label_smoothing, "0 or more, and below 1");
  if (options.focal_alpha) {
    require(*options.focal_alpha >= 0 && *options.focal_alpha <= 1, "--focal-alpha",
            *options.focal_alpha, "0 to 1");
  }
  if (options.pos_weight) {
    require(is_positive_float(*options.pos_weight), "weight of the positives", *options.pos_weight,
            positive_float_range);
  }
  if (options.task == Task::multiclass && (options.focal_alpha || options.pos_weight)) {
    throw UsageError(
        fmt::format("{}: only for two classes, where one is the positive",
                    options.focal_alpha ? "--focal-alpha" : "weight of the positives"));
  }
}

}  // namespace mpbench::train

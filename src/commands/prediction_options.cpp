#include "mpbench/commands/prediction_options.hpp"

#include <algorithm>
#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/device/device_options.hpp"
#include "mpbench/nn/model_options.hpp"

namespace mpbench::commands {

void validate(const PredictionOptions& options) {
  if (options.checkpoint.empty() && options.weights.empty()) {
    throw UsageError("a network is needed: --checkpoint FILE, or --model NAME --weights FILE");
  }
  static_cast<void>(device::parse_device_choice(options.device));
  if (!options.weights.empty()) {
    nn::require_model_options({.name = options.model, .activation = options.activation});
    if (options.image_size > 0) {
      nn::require_image_size(options.model, options.image_size, options.image_size);
    }
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  const auto positive = [](float value) { return std::isfinite(value) && value > 0; };
  if (options.mean.size() != options.stddev.size() ||
      !std::all_of(options.mean.begin(), options.mean.end(), finite) ||
      !std::all_of(options.stddev.begin(), options.stddev.end(), positive)) {
    throw UsageError("--mean, --deviation: as many numbers in both; deviations are above 0");
  }
}

}  // namespace mpbench::commands

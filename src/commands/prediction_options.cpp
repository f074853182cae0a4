#include "mpbench/commands/prediction_options.hpp"

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
  }
}

}  // namespace mpbench::commands

#include "mpbench/commands/train_options.hpp"

#include <fmt/format.h>

#include <array>

#include "mpbench/bench/plan.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/device/device_options.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::commands {

void validate(const TrainOptions& options, const std::set<std::string>& given) {
  train::TrainConfig config = options.config;
  // The device decides which it is; fp16 has every option that bf16 has.
  if (options.amp) {
    config.precision =
        device::parse_device_choice(config.device).kind == device::DeviceChoice::Kind::cpu
            ? Precision::bf16
            : Precision::fp16;
  }
  train::validate(config);
  train::require_effect(std::array{config}, given);
  if (!options.continues()) train::require_weights_file(config);
  if (options.resume && options.resume_from.empty() && options.out.empty()) {
    throw UsageError("--resume: name the folder of the run with --out");
  }
  if (!options.run_id.empty() && !bench::is_file_name(options.run_id)) {
    throw UsageError(fmt::format(
        "--run-id '{}': becomes part of file names: letters, digits, '.', '_' and '-' only",
        options.run_id));
  }
}

}  // namespace mpbench::commands

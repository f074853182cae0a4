#include "mpbench/commands/compare_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::commands {
namespace {

/// "batch-size = [16, 32]", each value as TOML has the option's type.
std::string axis_line(const bench::Axis& axis, train::TrainConfig config) {
  std::string list;
  for (const std::string& value : axis.values) {
    train::set_option(config, axis.option, value);
    list += (list.empty() ? "" : ", ") + train::option_toml(config, axis.option);
  }
  return fmt::format("{} = [{}]\n", axis.option, list);
}

}  // namespace

void validate(const CompareOptions& options, const std::set<std::string>& given) {
  const train::TrainConfig& config = options.grid.config;
  static_cast<void>(bench::make_plan(options.grid));
  train::require_effect(bench::configurations(options.grid), given);
  if (given.contains("checkpoint-steps") && config.checkpoint_steps > 0 && !config.checkpoints &&
      !given.contains("checkpoints")) {
    throw UsageError(
        fmt::format("--checkpoint-steps {}: has no effect here: it needs --checkpoints, which "
                    "compare leaves out",
                    config.checkpoint_steps));
  }
  train::require_weights_file(config);
  if (options.grid.arms().size() < 2) {
    throw UsageError("--precision: a comparison needs two or more, the baseline first: fp32,bf16");
  }
  bench::validate(options.comparison);
  if (!std::isfinite(options.max_time_s) || options.max_time_s < 0) {
    throw UsageError(fmt::format("--max-time {}s: must be 0 or more", options.max_time_s));
  }
  if (options.resume && options.out.empty()) {
    throw UsageError("--resume: name the folder of the comparison with --out");
  }
}

std::string to_toml(const CompareOptions& options) {
  const bench::Grid& grid = options.grid;
  std::string text;
  for (const bench::Axis& axis : grid.axes) text += axis_line(axis, grid.config);
  text += toml_line("repeats", grid.repeats) + toml_line("margin", options.comparison.margin) +
          toml_line("confidence", options.comparison.confidence);
  if (options.max_time_s > 0) text += toml_line("max-time", fmt::format("{}s", options.max_time_s));
  train::visit_options(grid.config, [&](const char* name, const auto& value, const char*) {
    if (grid.find(name) == nullptr) text += toml_line(name, value);
  });
  return text;
}

}  // namespace mpbench::commands

#include "mpbench/commands/compare_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::commands {

const std::set<std::string>& axis_names() {
  static const std::set<std::string> names{"precision",  "model",         "batch-size",
                                           "image-size", "channels-last", "seed"};
  return names;
}

namespace {

/// A run of the plan with all that is shared, also what is for other runs.
train::TrainConfig whole_config_of(const bench::RunSpec& spec, const train::TrainConfig& shared) {
  train::TrainConfig config = shared;
  config.precision = parse_precision(spec.precision);
  config.model = spec.model;
  config.batch_size = spec.batch_size;
  config.image_size = spec.image_size;
  config.channels_last = spec.channels_last;
  config.seed = spec.seed;
  return config;
}

}  // namespace

train::TrainConfig config_of(const bench::RunSpec& spec, const train::TrainConfig& shared) {
  return train::without_ineffective(whole_config_of(spec, shared));
}

void validate(const CompareOptions& options, const std::set<std::string>& given) {
  std::vector<train::TrainConfig> runs;
  for (const auto& spec : bench::make_plan(options.axes)) {
    train::validate(config_of(spec, options.config));
    runs.push_back(whole_config_of(spec, options.config));
  }
  train::require_effect(runs, given);
  if (given.contains("checkpoint-steps") && options.config.checkpoint_steps > 0 &&
      !options.config.checkpoints && !given.contains("checkpoints")) {
    throw UsageError(
        fmt::format("--checkpoint-steps {}: has no effect here: it needs --checkpoints, which "
                    "compare leaves out",
                    options.config.checkpoint_steps));
  }
  train::require_weights_file(options.config);
  if (options.axes.precision.size() < 2) {
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
  const bench::Axes& axes = options.axes;
  std::string text =
      toml_line("precision", axes.precision) + toml_line("model", axes.model) +
      toml_line("batch-size", axes.batch_size) + toml_line("image-size", axes.image_size) +
      toml_line("channels-last", axes.channels_last) + toml_line("seed", axes.seed) +
      toml_line("repeats", axes.repeats) + toml_line("margin", options.comparison.margin) +
      toml_line("confidence", options.comparison.confidence);
  if (options.max_time_s > 0) text += toml_line("max-time", fmt::format("{}s", options.max_time_s));
  train::visit_options(options.config, [&](const char* name, const auto& value, const char*) {
    if (!axis_names().contains(name)) text += toml_line(name, value);
  });
  return text;
}

}  // namespace mpbench::commands

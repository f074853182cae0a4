#include "mpbench/commands/explain_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::commands {
namespace {

constexpr const char* explained_option = "precision";
/// Only a comparison has it.
constexpr const char* left_out_option = "handicap";

}  // namespace

bench::Grid explained_grid(const ExplainOptions& options, Precision mixed) {
  bench::Grid grid{.config = options.config};
  grid.axis(explained_option).values =
      options.precisions.empty() ? std::vector<std::string>{std::string(to_string(Precision::fp32)),
                                                            std::string(to_string(mixed))}
                                 : options.precisions;
  grid.seeds = {options.config.seed};
  grid.repeats = 1;
  return grid;
}

void validate(const ExplainOptions& options, const std::set<std::string>& given) {
  // The device decides which mixed precision it is; fp16 has every option that bf16 has.
  const bench::Grid grid = explained_grid(options, Precision::fp16);
  train::require_effect(bench::configurations(grid), given);
  static_cast<void>(bench::make_plan(grid));  // refuses what makes no plan
  train::require_weights_file(options.config);
  if (!std::isfinite(options.timed_s) || options.timed_s <= 0) {
    throw UsageError(fmt::format("--max-time {}s: must be above 0", options.timed_s));
  }
  constexpr std::int64_t most_steps = 1000;
  if (options.profile_steps < 1 || options.profile_steps > most_steps) {
    throw UsageError(
        fmt::format("--profile-steps {}: must be from 1 to {}", options.profile_steps, most_steps));
  }
}

std::string to_toml(const ExplainOptions& options) {
  std::string text = toml_line("profile-steps", options.profile_steps) +
                     toml_line("max-time", fmt::format("{}s", options.timed_s));
  if (!options.precisions.empty()) text += toml_line("precision", options.precisions);
  train::visit_options(options.config,
                       [&](const std::string& name, const auto& value, const char*) {
                         if (name != explained_option && name != left_out_option)
                           text += toml_line(name, value);
                       });
  return text;
}

}  // namespace mpbench::commands

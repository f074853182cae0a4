#include "mpbench/commands/compare_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "mpbench/bench/requirement.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::commands {
namespace {

constexpr const char* precision_option = "precision";
constexpr const char* seed_option = "seed";
constexpr const char* handicap_option = "handicap";

/// "batch-size = [16, 32]", each value as TOML has the option's type.
std::string axis_line(const bench::Axis& axis, train::TrainConfig config) {
  std::string list;
  for (const std::string& value : axis.values) {
    train::set_option(config, axis.option, value);
    list += (list.empty() ? "" : ", ") + train::option_toml(config, axis.option);
  }
  return fmt::format("{} = [{}]\n", axis.option, list);
}

/// "threads=1,2" as an axis. `flag` and `form` are for the message.
bench::Axis parse_axis(const std::string& text, std::string_view flag = "--axis",
                       std::string_view form = "an option and its values: threads=1,2") {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("{} {}: must be {}", flag, text, form));
  }
  bench::Axis axis{.option = text.substr(0, equals), .values = {}};
  for (std::size_t start = equals + 1; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    axis.values.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return axis;
}

void add_axes(CompareOptions& options, const std::set<std::string>& given) {
  std::set<std::string> named;
  for (const std::string& text : options.axes) {
    bench::Axis axis = parse_axis(text);
    for (const char* own : {seed_option, handicap_option}) {
      if (axis.option == own) throw UsageError(fmt::format("--axis {0}: use --{0} instead", own));
    }
    if (given.contains(axis.option)) {
      throw UsageError(
          fmt::format("--{} and --axis {}: choose one of the two", axis.option, axis.option));
    }
    if (!named.insert(axis.option).second) {
      throw UsageError(fmt::format("--axis {}: given twice", axis.option));
    }
    if (train::option_toml(options.grid.config, axis.option).empty()) {
      throw UsageError(fmt::format("--axis {}: there is no such option", axis.option));
    }
    options.grid.axis(axis.option).values = std::move(axis.values);
  }
}

/// The value to the front of its axis, which the arms then differ in.
void choose_baseline(CompareOptions& options) {
  const bench::Axis wanted =
      parse_axis(options.baseline, "--baseline", "an option and one of its values: precision=tf32");
  if (options.grid.find(wanted.option) == nullptr) {
    throw UsageError(fmt::format("--baseline {}: --{} does not vary here: list its values{}",
                                 options.baseline, wanted.option,
                                 " with --axis " + wanted.option + "=..."));
  }
  options.grid.arm_option = wanted.option;
  std::vector<std::string>& values = options.grid.axis(wanted.option).values;
  const auto found = std::find(values.begin(), values.end(), wanted.values.front());
  if (found == values.end() || wanted.values.size() != 1) {
    throw UsageError(fmt::format("--baseline {}: must be one of the values of --{}: {}",
                                 options.baseline, wanted.option, fmt::join(values, ", ")));
  }
  std::rotate(values.begin(), found, found + 1);
}

/// The baseline, and the same made slower.
void add_handicap(CompareOptions& options) {
  if (!(*options.handicap > 0)) {
    throw UsageError(fmt::format("--handicap {}: must be above 0", *options.handicap));
  }
  options.grid.axis(handicap_option).values = {"0", fmt::format("{}", *options.handicap)};
  if (options.baseline.empty()) options.baseline = fmt::format("{}=0", handicap_option);
}

/// --ladder, --with and --handicap each say what the arms are.
void require_one_source_of_arms(const CompareOptions& options, const std::set<std::string>& given) {
  if (given.contains("ladder") && given.contains("ladder-reverse")) {
    throw UsageError("--ladder and --ladder-reverse: choose one of the two");
  }
  std::string first;
  const auto add = [&](bool is_given, const char* flag) {
    if (!is_given) return;
    if (!first.empty()) throw UsageError(fmt::format("{} and {}: choose one", first, flag));
    first = flag;
  };
  add(options.ladder != bench::LadderOrder::none, "--ladder");
  add(!options.grid.other_program.empty(), "--with");
  add(options.handicap.has_value(), "--handicap");
  add(!options.baseline.empty(), "--baseline");
  if (options.ladder == bench::LadderOrder::none) return;
  for (const char* flag : {precision_option, "channels-last", "cuda-graph"}) {
    if (given.contains(flag)) {
      throw UsageError(fmt::format("--{} and --ladder: the ladder has its own", flag));
    }
  }
}

/// Whether the arms come from elsewhere than an axis.
bool makes_its_own_arms(const CompareOptions& options) {
  return options.ladder != bench::LadderOrder::none || !options.grid.other_program.empty();
}

}  // namespace

void choose_arms(CompareOptions& options, const std::set<std::string>& given) {
  bench::Grid& grid = options.grid;
  require_one_source_of_arms(options, given);
  add_axes(options, given);
  if (options.handicap) add_handicap(options);
  if (!options.baseline.empty()) {
    choose_baseline(options);
  } else if (grid.arms().size() == 1 && !makes_its_own_arms(options)) {
    // One precision: the arms differ in what else there are several of, what --axis names first.
    for (auto axis = grid.axes.rbegin(); axis != grid.axes.rend(); ++axis) {
      if (axis->values.size() < 2) continue;
      grid.arm_option = axis->option;
      break;
    }
  }
  if (grid.seeds.size() > 1 && !given.contains("repeats")) {
    grid.repeats = static_cast<int>(grid.seeds.size());
  }
  if (options.sessions > 0) options.comparison.speed.looks = {options.sessions};
}

void require_arms(const CompareOptions& options) {
  std::vector<std::pair<const char*, std::string>> named;
  if (!options.comparison.speed.primary.empty()) {
    named.emplace_back("--primary", options.comparison.speed.primary);
  }
  for (const std::string& text : options.requirements) {
    const bench::Requirement requirement = bench::parse_requirement(text);
    if (!requirement.arm.empty()) named.emplace_back("--require", requirement.arm);
  }
  if (named.empty()) return;
  for (const bench::Configuration& configuration : bench::make_plan(options.grid)) {
    std::vector<std::string> arms;
    for (const bench::Arm& arm : configuration.arms) {
      if (arm.kind == bench::ArmKind::arm) arms.push_back(arm.name);
    }
    for (const auto& [flag, name] : named) {
      if (std::find(arms.begin(), arms.end(), name) != arms.end()) continue;
      throw UsageError(fmt::format("{} {}: there is no such arm: choose one of {}", flag, name,
                                   fmt::join(arms, ", ")));
    }
  }
}

void validate(const CompareOptions& options, const std::set<std::string>& given) {
  const bench::Grid& grid = options.grid;
  const train::TrainConfig& config = grid.config;
  train::require_effect(bench::configurations(grid), given);
  static_cast<void>(bench::make_plan(grid));  // refuses what makes no plan
  if (given.contains("checkpoint-steps") && config.checkpoint_steps > 0 && !config.checkpoints &&
      !given.contains("checkpoints")) {
    throw UsageError(
        fmt::format("--checkpoint-steps {}: has no effect here: it needs --checkpoints, which "
                    "compare leaves out",
                    config.checkpoint_steps));
  }
  train::require_weights_file(config);
  if (grid.arms().size() < 2 && !makes_its_own_arms(options)) {
    throw UsageError(fmt::format("--{}: a comparison needs two or more, the baseline first{}",
                                 grid.arm_option,
                                 grid.arm_option == precision_option ? ": fp32,bf16" : ""));
  }
  bench::validate(options.comparison);
  if (options.ladder == bench::LadderOrder::none) require_arms(options);
  if (!std::isfinite(options.time_limit_s()) || options.time_limit_s() < 0) {
    throw UsageError(fmt::format("--max-time {}s: must be 0 or more", options.time_limit_s()));
  }
  if (options.resume && options.dry_run) {
    throw UsageError("--resume and --dry-run: choose one");
  }
  if (options.resume && options.out.empty()) {
    throw UsageError("--resume: name the folder of the comparison with --out");
  }
}

std::string to_toml(const CompareOptions& options) {
  const bench::Grid& grid = options.grid;
  const bench::SpeedOptions& speed = options.comparison.speed;
  std::set<std::string> elsewhere{handicap_option};
  for (const std::string& axis : options.axes) elsewhere.insert(parse_axis(axis).option);
  std::string text;
  for (const bench::Axis& axis : grid.axes) {
    if (!elsewhere.contains(axis.option)) text += axis_line(axis, grid.config);
  }
  if (!options.axes.empty()) text += toml_line("axis", options.axes);
  if (!options.baseline.empty() && !options.handicap)
    text += toml_line("baseline", options.baseline);
  if (options.handicap) text += toml_line("handicap", *options.handicap);
  if (!grid.other_program.empty()) text += toml_line("with", grid.other_program);
  if (options.ladder != bench::LadderOrder::none) text += toml_line("ladder", options.ladder);
  text += fmt::format("seed = [{}]\n", fmt::join(grid.seeds, ", "));
  text += toml_line("repeats", grid.repeats) + toml_line("margin", options.comparison.margin) +
          toml_line("confidence", options.comparison.confidence) +
          toml_line("equivalence", speed.equivalence) +
          toml_line("target-precision", speed.target) + toml_line("sessions", options.sessions) +
          toml_line("speed-only", options.speed_only) + toml_line("together", options.together);
  if (!speed.primary.empty()) text += toml_line("primary", speed.primary);
  if (!options.requirements.empty()) text += toml_line("require", options.requirements);
  if (options.max_time_s) text += toml_line("max-time", fmt::format("{}s", *options.max_time_s));
  train::visit_options(grid.config, [&](const std::string& name, const auto& value, const char*) {
    if (grid.find(name) == nullptr && name != seed_option && name != handicap_option) {
      text += toml_line(name, value);
    }
  });
  return text;
}

}  // namespace mpbench::commands

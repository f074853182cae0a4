#include "mpbench/bench/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::bench {
namespace {

/// More than a machine does in a year: a slip in a list, not a plan.
constexpr std::size_t max_runs = 10000;

constexpr std::string_view precision_option = "precision";
/// Options that every configuration's name has.
constexpr std::array<std::string_view, 5> named_options{precision_option, "model", "batch-size",
                                                        "image-size", "channels-last"};

bool is_in(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_axis(const Axis& axis, const train::TrainConfig& shared) {
  if (axis.values.empty()) throw UsageError(fmt::format("--{}: the list is empty", axis.option));
  std::set<std::string> seen;
  for (const std::string& text : axis.values) {
    train::TrainConfig config = shared;
    train::set_option(config, axis.option, text);
    // As it was understood: 8 and +8 are one value.
    if (!seen.insert(train::option_toml(config, axis.option)).second) {
      throw UsageError(fmt::format("--{}: {} is listed twice", axis.option, text));
    }
  }
}

/// An axis' value as part of a file's name.
std::string name_part(const std::string& option, std::string value) {
  std::erase(value, '"');
  for (char& letter : value) {
    if (!is_file_name(fmt::format("x{}", letter))) letter = '_';
  }
  return "-" + option + value;
}

void check_counts(const Grid& grid) {
  if (grid.repeats < 1) {
    throw UsageError(fmt::format("--repeats: at least 1, not {}", grid.repeats));
  }
  auto runs = static_cast<std::size_t>(grid.repeats);
  for (const Axis& axis : grid.axes) {
    if (!axis.values.empty() && axis.values.size() > max_runs / std::min(runs, max_runs)) {
      runs = max_runs + 1;
    }
    runs *= std::max<std::size_t>(1, axis.values.size());
    if (runs > max_runs) {
      throw UsageError(fmt::format("the lists make more than {} runs", max_runs));
    }
  }
}

/// Every combination of all axes but the arms'.
std::vector<train::TrainConfig> arm_groups(const Grid& grid) {
  std::vector<train::TrainConfig> configs{grid.config};
  for (const Axis& axis : grid.axes) {
    if (axis.option == grid.arm_option) continue;
    std::vector<train::TrainConfig> next;
    for (const train::TrainConfig& config : configs) {
      for (const std::string& value : axis.values) {
        train::set_option(next.emplace_back(config), axis.option, value);
      }
    }
    configs = std::move(next);
  }
  return configs;
}

/// "threads=2"; a precision is its own name.
std::string value_name(const train::TrainConfig& config, const std::string& option) {
  std::string value = train::option_toml(config, option);
  std::erase(value, '"');
  return option == precision_option ? value : fmt::format("{}={}", option, value);
}

/// One a value of arm_option, or one a rung of the ladder; all options as given.
std::vector<Arm> arms_of(const train::TrainConfig& config, const Grid& grid) {
  std::vector<Arm> arms;
  for (const std::string& value : grid.arms()) {
    Arm& arm = arms.emplace_back();
    arm.config = config;
    train::set_option(arm.config, grid.arm_option, value);
    arm.name = value_name(arm.config, grid.arm_option);
    if (!grid.other_program.empty()) break;
  }
  for (const Axis& factor : grid.ladder) {
    Arm rung{.name = {}, .config = arms.back().config};
    train::set_option(rung.config, factor.option, factor.values.front());
    rung.name = value_name(rung.config, factor.option);
    arms.push_back(std::move(rung));
  }
  if (!grid.other_program.empty()) {
    arms.push_back({.name = "other", .config = arms.front().config, .program = grid.other_program});
  }
  for (std::size_t i = 1; i < arms.size(); ++i) {
    arms[i].compared_with = arms[grid.ladder.empty() ? 0 : i - 1].name;
  }
  arms.front().kind = ArmKind::baseline;
  Arm null = arms.front();
  null.name = null_arm_name;
  null.kind = ArmKind::null;
  null.compared_with = arms.front().name;
  arms.push_back(std::move(null));
  return arms;
}

/// The name of a configuration: the options that it has in all its arms.
std::string configuration_name(const train::TrainConfig& config, const Grid& grid) {
  const std::string size = config.image_size == 0 ? "native" : std::to_string(config.image_size);
  std::string name = fmt::format("{}-b{}-i{}-{}s{}", config.model.name, config.batch_size, size,
                                 config.channels_last ? "cl-" : "", grid.seeds.front());
  for (const Axis& axis : grid.axes) {
    if (axis.option == grid.arm_option || is_in(named_options, axis.option)) continue;
    name += name_part(axis.option, train::option_toml(config, axis.option));
  }
  if (grid.arm_option != precision_option) name += fmt::format("-{}", to_string(config.precision));
  return name;
}

/// An arm's part of an id: a name with '=' and the like would not do in every file system.
std::string id_part(const std::string& arm_name) {
  std::string part = arm_name;
  std::erase(part, '=');
  for (char& letter : part) {
    if (!is_file_name(fmt::format("x{}", letter))) letter = '_';
  }
  return part;
}

void check(const Grid& grid) {
  check_counts(grid);
  for (const Axis& axis : grid.axes) check_axis(axis, grid.config);
  if (grid.seeds.empty()) throw UsageError("--seed: the list is empty");
  if (std::set<std::uint64_t>(grid.seeds.begin(), grid.seeds.end()).size() != grid.seeds.size()) {
    throw UsageError("--seed: a seed is listed twice");
  }
  if (grid.seeds.size() > 1 && grid.seeds.size() < static_cast<std::size_t>(grid.repeats)) {
    throw UsageError(fmt::format("--repeats {}: more than there are seeds ({})", grid.repeats,
                                 grid.seeds.size()));
  }
}

}  // namespace

const Axis* Grid::find(std::string_view option) const {
  const auto found = std::find_if(axes.begin(), axes.end(),
                                  [&](const Axis& axis) { return axis.option == option; });
  return found == axes.end() ? nullptr : &*found;
}

Axis& Grid::axis(const std::string& option) {
  const auto found = std::find_if(axes.begin(), axes.end(),
                                  [&](const Axis& axis) { return axis.option == option; });
  if (found != axes.end()) return *found;
  return axes.emplace_back(Axis{.option = option, .values = {}});
}

const std::vector<std::string>& Grid::arms() const {
  const Axis* axis = find(arm_option);
  if (axis == nullptr) throw UsageError(fmt::format("--{}: the list is missing", arm_option));
  return axis->values;
}

bool is_file_name(const std::string& name) {
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789._-") == std::string::npos;
}

std::string_view without_repeat(std::string_view run_id) {
  return run_id.substr(0, run_id.rfind("-r"));
}

std::vector<train::TrainConfig> configurations(const Grid& grid) {
  check(grid);
  std::vector<train::TrainConfig> all;
  for (const train::TrainConfig& config : arm_groups(grid)) {
    for (Arm& arm : arms_of(config, grid)) all.push_back(std::move(arm.config));
  }
  return all;
}

std::vector<Configuration> make_plan(const Grid& grid) {
  check(grid);
  std::vector<Configuration> plan;
  std::set<std::string> ids;
  for (const train::TrainConfig& config : arm_groups(grid)) {
    Configuration& configuration = plan.emplace_back();
    configuration.arms = arms_of(config, grid);
    for (Arm& arm : configuration.arms) arm.config = train::without_ineffective(arm.config);
    const std::string name = configuration_name(configuration.arms.front().config, grid);
    configuration.name = name;
    std::set<std::string> names;
    for (Arm& arm : configuration.arms) {
      if (!is_file_name(arm.config.model.name)) {
        throw UsageError(fmt::format("--model: '{}' is not a valid name", arm.config.model.name));
      }
      train::validate(arm.config);
      arm.id = fmt::format("{}-{}", name, id_part(arm.name));
      if (!names.insert(arm.name).second || !ids.insert(arm.id).second) {
        throw UsageError(fmt::format("two arms would both be called {}", arm.id));
      }
    }
  }
  return plan;
}

std::uint64_t seed_of(const Grid& grid, ArmKind kind, int repeat) {
  const auto place = static_cast<std::size_t>(repeat - 1);
  // A session for speed alone may come after the repeats, where any seed will do.
  std::uint64_t seed =
      grid.seeds.size() > 1 ? grid.seeds[place % grid.seeds.size()] : grid.seeds.front() + place;
  if (kind == ArmKind::null) seed = mix_seed(seed, 1);
  return seed & train::largest_seed;
}

RunSpec make_run(const Grid& grid, const Arm& arm, int repeat) {
  RunSpec run{.config = arm.config,
              .repeat = repeat,
              .run_id = fmt::format("{}-r{}", arm.id, repeat),
              .program = arm.program};
  run.config.seed = seed_of(grid, arm.kind, repeat);
  return run;
}

}  // namespace mpbench::bench

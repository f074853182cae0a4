#include "mpbench/bench/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::bench {
namespace {

/// More than a machine does in a year: a slip in a list, not a plan.
constexpr std::size_t max_runs = 10000;

/// Options that every run's id names.
constexpr std::array<std::string_view, 6> named_options{
    Grid::arm_option, "model", "batch-size", "image-size", "channels-last", "seed"};

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
  return option + value + "-";
}

void check_counts(const Grid& grid) {
  if (grid.repeats < 1) {
    throw UsageError(fmt::format("--repeats: at least 1, not {}", grid.repeats));
  }
  std::size_t runs = static_cast<std::size_t>(grid.repeats);
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
    if (axis.option == Grid::arm_option) continue;
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

/// One a value of arm_option, in its order.
std::vector<train::TrainConfig> arms_of(const train::TrainConfig& config, const Grid& grid) {
  std::vector<train::TrainConfig> arms;
  for (const std::string& value : grid.arms()) {
    train::set_option(arms.emplace_back(config), Grid::arm_option, value);
  }
  return arms;
}

void check(const Grid& grid) {
  check_counts(grid);
  for (const Axis& axis : grid.axes) check_axis(axis, grid.config);
}

}  // namespace

const Axis* Grid::find(std::string_view option) const {
  const auto found = std::find_if(axes.begin(), axes.end(),
                                  [&](const Axis& axis) { return axis.option == option; });
  return found == axes.end() ? nullptr : &*found;
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

std::string make_run_id(const train::TrainConfig& config, int repeat,
                        const std::vector<Axis>& axes) {
  const std::string size = config.image_size == 0 ? "native" : std::to_string(config.image_size);
  std::string others;
  for (const Axis& axis : axes) {
    if (std::find(named_options.begin(), named_options.end(), axis.option) != named_options.end()) {
      continue;
    }
    others += name_part(axis.option, train::option_toml(config, axis.option));
  }
  return fmt::format("{}-b{}-i{}-{}s{}-{}{}-r{}", config.model.name, config.batch_size, size,
                     config.channels_last ? "cl-" : "", config.seed, others,
                     to_string(config.precision), repeat);
}

std::string_view without_repeat(std::string_view run_id) {
  return run_id.substr(0, run_id.rfind("-r"));
}

std::vector<train::TrainConfig> configurations(const Grid& grid) {
  check(grid);
  std::vector<train::TrainConfig> all;
  for (const train::TrainConfig& config : arm_groups(grid)) {
    for (train::TrainConfig& arm : arms_of(config, grid)) all.push_back(std::move(arm));
  }
  return all;
}

std::vector<RunSpec> make_plan(const Grid& grid) {
  const std::size_t arms = grid.arms().size();
  std::vector<train::TrainConfig> configs = configurations(grid);
  for (train::TrainConfig& config : configs) {
    if (!is_file_name(config.model.name)) {
      throw UsageError(fmt::format("--model: '{}' is not a valid name", config.model.name));
    }
    config = train::without_ineffective(std::move(config));
    train::validate(config);
  }
  std::vector<RunSpec> plan;
  std::set<std::string> ids;
  for (int repeat = 1; repeat <= grid.repeats; ++repeat) {
    for (std::size_t group = 0; group < configs.size() / arms; ++group) {
      for (std::size_t i = 0; i < arms; ++i) {
        const std::size_t arm = (static_cast<std::size_t>(repeat - 1) + group + i) % arms;
        const train::TrainConfig& config = configs[group * arms + arm];
        plan.push_back({config, repeat, make_run_id(config, repeat, grid.axes)});
        if (!ids.insert(plan.back().run_id).second) {
          throw UsageError(fmt::format("two runs would both be called {}", plan.back().run_id));
        }
      }
    }
  }
  return plan;
}

}  // namespace mpbench::bench

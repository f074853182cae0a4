#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mpbench/bench/comparison_options.hpp"
#include "mpbench/bench/ladder.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/together.hpp"
#include "mpbench/commands/gate_options.hpp"

namespace mpbench::commands {

/// What `mpbench compare` is told.
struct CompareOptions {
  /// Seconds for a comparison that nobody gave a time.
  static constexpr double usual_time_s = 600;

  bench::Grid grid{.config = {},
                   .axes = {{"precision", {"fp32", "bf16"}},
                            {"model", {"cnn"}},
                            {"batch-size", {"32"}},
                            {"image-size", {"0"}},
                            {"channels-last", {"true"}}}};
  bench::ComparisonOptions comparison;
  /// Option by option the values of --axis: "threads=1,2".
  std::vector<std::string> axes;
  std::string baseline;            ///< "precision=tf32"; empty: the first value of the arms
  std::optional<double> handicap;  ///< of an arm that is otherwise the baseline
  bench::LadderOrder ladder = bench::LadderOrder::none;
  int sessions = 0;  ///< 0: until the looks say that it is enough
  bool speed_only = false;
  bench::Together together = bench::Together::automatic;
  std::filesystem::path out;  ///< empty: a folder of this moment
  bool resume = false;
  bool dry_run = false;
  std::vector<std::string> requirements;  ///< as bench::parse_requirement takes them
  GateFiles gate;                         ///< no part of to_toml(): they are of this invocation
  std::optional<double> max_time_s;       ///< all together; 0: no limit
  bool length_given = false;              ///< --epochs or --steps say how long a training is

  // A sweep of a hundred runs would keep a hundred models that nobody asked for.
  CompareOptions() { grid.config.checkpoints = false; }

  double time_limit_s() const { return max_time_s.value_or(usual_time_s); }
};

/// Takes --axis, --baseline and --handicap into the grid. Throws UsageError for an option that
/// there is not, one that is given twice, and a baseline that is none of the values. `given` are
/// the flags on the command line, without their dashes.
void choose_arms(CompareOptions& options, const std::set<std::string>& given);

/// Throws UsageError for lists that make no comparison and for options that do nothing in any run,
/// and as train::validate for any of them.
void validate(const CompareOptions& options, const std::set<std::string>& given);

/// Throws UsageError where --primary or --require names none of the arms. A ladder's are known only
/// once bench::make_ladder() has made them: validate() leaves it to the caller.
void require_arms(const CompareOptions& options);

/// The whole comparison as TOML that `mpbench compare --config` reads back.
std::string to_toml(const CompareOptions& options);

}  // namespace mpbench::commands

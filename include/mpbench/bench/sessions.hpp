#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "mpbench/bench/arm_process.hpp"
#include "mpbench/bench/comparison.hpp"
#include "mpbench/bench/config_hashes.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/speed_options.hpp"
#include "mpbench/bench/together.hpp"
#include "mpbench/core/progress.hpp"

namespace mpbench::bench {

struct SessionsOptions {
  std::filesystem::path out;  ///< where runs.csv, epochs.csv, blocks.csv and predictions/ are kept
  bool speed_only = false;    ///< no training goes on to its end
  /// Sessions that train are run however long they take, and max_time_s is for the others.
  bool trainings_end = false;
  double max_time_s = 0;  ///< no session is begun that would end later; 0: no limit
  Together together = Together::automatic;
  SpeedOptions speed;
  std::int64_t profile_steps = 0;  ///< that each process of a first session profiles; 0: none
  ProgressFunction progress;
};

/// Runs the sessions of a comparison, the configurations in turns, and keeps what each left in OUT
/// as it ends; sessions that OUT holds, made with the same options, are not run again. The first
/// Grid::repeats of them train to the end. A configuration is done when at one of the looks all its
/// verdicts on speed are clear or precise enough. A session in which a process ended early is done
/// once more at the end; an arm that ended early in two sessions one after the other is left out of
/// those that follow. Ends early where a stop was asked for. Returns all that OUT holds then.
Measurements run_sessions(const Grid& grid, const std::vector<Configuration>& plan,
                          ArmStarter& starter, const ConfigHash& hash_of,
                          const SessionsOptions& options);

}  // namespace mpbench::bench

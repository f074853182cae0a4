#pragma once

#include <filesystem>
#include <vector>

#include "mpbench/bench/config_hashes.hpp"
#include "mpbench/bench/executor.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/core/progress.hpp"

namespace mpbench::bench {

struct SweepOptions {
  std::filesystem::path out;  ///< where runs.csv, epochs.csv and predictions/ are kept
  bool resume = false;        ///< keep what OUT holds of finished runs with the same options
  double max_time_s = 0;      ///< no round of repeats is begun that would end later; 0: no limit
  double expected_s = 0;      ///< how long all runs will take together; 0: not known
  ProgressFunction progress;
};

/// Does the runs of a plan one after another, keeps what each left in OUT as it ends, and returns
/// all of them, those of an earlier sweep that are resumed among them, without their predictions.
/// Ends early where a stop was asked for.
std::vector<RunOutput> run_sweep(const std::vector<RunSpec>& plan, Executor& executor,
                                 const ConfigHash& hash_of, const SweepOptions& options);

}  // namespace mpbench::bench

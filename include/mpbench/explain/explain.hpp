#pragma once

#include <optional>
#include <vector>

#include "mpbench/bench/run_record.hpp"
#include "mpbench/bench/session_record.hpp"
#include "mpbench/explain/explanation.hpp"
#include "mpbench/profile/machine_rates.hpp"
#include "mpbench/profile/step_profiler.hpp"

namespace mpbench::explain {

/// What was measured of one arm.
struct MeasuredArm {
  std::string name;
  bench::RunRecord run;
  profile::StepProfile profile;  ///< with operators
  double step_ms = 0;            ///< a step, data wait included, without the profiler
  double preemptions = 0;        ///< a step
};

/// What all arms were measured on.
struct MeasuredMachine {
  profile::MachineRates rates;
  bench::SessionRecord session;
  int processors = 1;  ///< that this program may run on
};

/// Explains the arms, of which the first is the baseline. A step's times are the profiled ones,
/// made shorter or longer by the ratio of a step without the profiler to one with it.
Explanation explain(const std::vector<MeasuredArm>& arms, const MeasuredMachine& machine);

}  // namespace mpbench::explain

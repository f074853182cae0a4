#pragma once

#include <vector>

#include "mpbench/explain/explain.hpp"

namespace mpbench::explain {

/// Each rule by itself: a figure of an arm, a threshold, and what to change. In the order of
/// CauseKind within an arm. `explained` has the same arms in the same order.
std::vector<Cause> find_causes(const std::vector<MeasuredArm>& arms,
                               const std::vector<ExplainedArm>& explained,
                               const MeasuredMachine& machine);

}  // namespace mpbench::explain

#pragma once

#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/requirement.hpp"
#include "mpbench/commands/gate_options.hpp"

namespace mpbench::commands {

/// What a comparison has to tell continuous integration.
struct GateReport {
  std::vector<bench::RequirementResult> requirements;  ///< empty where nothing is asked of it
  std::vector<bench::RequirementResult> outcomes;      ///< bench::arm_outcomes(), in their place
  std::string markdown;                                ///< all of the comparison
};

/// Makes the files' folders where they are not there. Throws Error for a file that could not be
/// written: to be called before what takes long.
void prepare_gate_files(const GateFiles& files);

/// Tells on the log which requirements hold, a line each; whether all do.
bool tell_requirements(std::span<const bench::RequirementResult> results);

/// Writes the files that are asked for, each atomically. Throws Error where one cannot be written.
void write_gate_files(const GateFiles& files, const GateReport& told);

}  // namespace mpbench::commands

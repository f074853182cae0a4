#pragma once

#include <filesystem>

#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"
#include "process.hpp"

namespace mpbench::bench {

/// What a run's process left in its folder, with its predictions. One that left no row gets one
/// that says how it ended; one that a signal ended has that as its error.
RunOutput read_run(const std::filesystem::path& folder, const RunSpec& run,
                   const ProcessResult& process);

}  // namespace mpbench::bench

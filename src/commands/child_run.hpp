#pragma once

#include <filesystem>

#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::commands {

/// Runs `mpbench train` in a process of its own, in OUT/runs/RUN_ID, and reads back what it left. A
/// run whose process ended without a row has one that says how it ended.
bench::RunOutput run_in_process(const bench::RunSpec& spec, const train::TrainConfig& config,
                                const std::filesystem::path& out);

}  // namespace mpbench::commands

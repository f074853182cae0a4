#pragma once

#include "mpbench/commands/request.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::cli {

/// Loads libmpbench_engine, and LibTorch with it, which takes as long as all the rest of a start,
/// and does there what was asked for. Throws Error where the library is missing or cannot be
/// loaded.
ExitCode run_in_engine(const commands::Request& request);

}  // namespace mpbench::cli

#pragma once

#include "mpbench/commands/request.hpp"

namespace mpbench::commands {

/// What the library libmpbench_engine exports: does what was asked for, and returns the process's
/// exit code. Errors are logged in there; nothing is thrown across its border.
using EngineFunction = int (*)(const Request& request);

/// The name of that function.
inline constexpr auto engine_function_symbol = "mpbench_run";

}  // namespace mpbench::commands

#pragma once

#include "mpbench/commands/request.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::commands {

/// Does what was asked for, and says how it ended. The options must have passed their checks
/// (validate), as those that come from the command line have. What goes wrong is thrown.
ExitCode run(const Request& request);

}  // namespace mpbench::commands

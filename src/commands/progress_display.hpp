#pragma once

#include <string>

#include "mpbench/commands/shared_options.hpp"
#include "mpbench/core/progress.hpp"

namespace mpbench::commands {

/// A progress display on stderr as the options ask: a bar on a terminal, plain lines elsewhere, or
/// nothing.
ProgressFunction make_progress(const SharedOptions& shared);

/// "1:02:03", "2:03" or "4 s".
std::string format_duration(double seconds);

}  // namespace mpbench::commands

#pragma once

#include <string>

#include "mpbench/core/progress.hpp"
#include "subcommands.hpp"

namespace mpbench::cli {

/// A progress display on stderr as the options ask: a bar on a terminal, plain lines elsewhere, or
/// nothing.
ProgressFunction make_progress(const SharedOptions& shared);

/// "1:02:03", "2:03" or "4 s".
std::string format_duration(double seconds);

}  // namespace mpbench::cli

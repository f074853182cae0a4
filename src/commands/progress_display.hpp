#pragma once

#include "mpbench/commands/shared_options.hpp"
#include "mpbench/core/progress.hpp"

namespace mpbench::commands {

/// A progress display on stderr as the options ask: a bar on a terminal, plain lines elsewhere, or
/// nothing.
ProgressFunction make_progress(const SharedOptions& shared);

}  // namespace mpbench::commands

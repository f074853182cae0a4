#pragma once

#include <functional>

#include "mpbench/core/error.hpp"

namespace mpbench {

/// What `work` returns. Where it throws, its error is logged in one line, and the exit code is that
/// error's: nothing is thrown on.
ExitCode report_errors(const std::function<ExitCode()>& work);

}  // namespace mpbench

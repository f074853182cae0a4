#pragma once

#include <CLI/CLI.hpp>

#include "mpbench/commands/gate_options.hpp"

namespace mpbench::cli {

/// Declares --junit and --step-summary.
void add_gate_flags(CLI::App& command, commands::GateFiles& files);

}  // namespace mpbench::cli

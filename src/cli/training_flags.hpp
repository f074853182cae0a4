#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>

#include "mpbench/train/config.hpp"

namespace mpbench::cli {

/// Declares a flag for every option of a TrainConfig but those named in `except` (compare's axes).
void add_training_flags(CLI::App& command, train::TrainConfig& config,
                        const std::set<std::string>& except = {});

}  // namespace mpbench::cli

#pragma once

#include <filesystem>
#include <vector>

#include "mpbench/data/preprocess.hpp"

namespace mpbench::commands {

/// Warns of inputs that could not be used: names the first of them, and the file with all.
void warn_of_skipped(const std::vector<data::Quarantined>& inputs,
                     const std::filesystem::path& quarantine);

}  // namespace mpbench::commands

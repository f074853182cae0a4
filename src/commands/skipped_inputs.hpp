#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "mpbench/data/preprocess.hpp"

namespace mpbench::commands {

/// Warns of inputs that could not be used: names the first `most_named`, and the file with all.
void warn_of_skipped(const std::vector<data::Quarantined>& inputs,
                     const std::filesystem::path& quarantine, std::size_t most_named);

}  // namespace mpbench::commands

#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "mpbench/data/preprocess.hpp"

namespace mpbench::commands {

/// Says on the log which inputs failed, the first `most` of them, and the file that names all.
void warn_of_left_out(const std::vector<data::Quarantined>& inputs,
                      const std::filesystem::path& quarantine, std::size_t most);

}  // namespace mpbench::commands

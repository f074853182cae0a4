#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/bench/config_hashes.hpp"
#include "mpbench/bench/plan.hpp"

namespace mpbench::bench {

/// Throws UsageError where a comparison that is gone on with holds a result of one of the plan's
/// arms, of whatever session, that was made with other options or other data: its results would be
/// pooled with new ones of another kind. Names the options that differ between the folder's
/// config.toml and `config_now`, without those of the grid's axes.
void require_same_options(const std::filesystem::path& out, const Grid& grid,
                          const std::vector<Configuration>& plan, const ConfigHash& hash_of,
                          const std::string& config_now);

}  // namespace mpbench::bench

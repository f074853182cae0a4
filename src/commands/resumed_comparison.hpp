#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"

namespace mpbench::commands {

/// The hash that a run of this plan would have now (train::config_hash).
using ConfigHash = std::function<std::string(const bench::RunSpec& spec)>;

/// Throws UsageError where a comparison that is gone on with holds a result of one of the plan's
/// configurations, at whatever repeat, that was made with other options or other data: its results
/// would be pooled with new ones of another kind. Names the options that differ between the
/// folder's config.toml and `config_now`.
void require_same_options(const std::filesystem::path& out,
                          const std::vector<bench::RunOutput>& runs,
                          const std::vector<bench::RunSpec>& plan, const ConfigHash& hash_now,
                          const std::string& config_now);

}  // namespace mpbench::commands

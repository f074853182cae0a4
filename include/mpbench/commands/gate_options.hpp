#pragma once

#include <filesystem>
#include <string>

namespace mpbench::commands {

/// Files for continuous integration that say which requirements hold. They are of one invocation,
/// and no part of a comparison's config.toml.
struct GateFiles {
  std::filesystem::path junit;         ///< JUnit XML; empty: none
  std::filesystem::path step_summary;  ///< gets Markdown at its end; empty: none
};

/// The file of --step-summary: `named`, or without a name what GITHUB_STEP_SUMMARY in the
/// environment says. Throws UsageError where neither does.
std::filesystem::path step_summary_file(const std::string& named);

}  // namespace mpbench::commands

#include "mpbench/commands/gate_options.hpp"

#include <cstdlib>

#include "mpbench/core/error.hpp"

namespace mpbench::commands {

std::filesystem::path step_summary_file(const std::string& named) {
  if (!named.empty()) return named;
  const char* of_step = std::getenv("GITHUB_STEP_SUMMARY");
  if (of_step == nullptr || *of_step == '\0') {
    throw UsageError(
        "--step-summary: name a file: GITHUB_STEP_SUMMARY, which has it in a GitHub workflow, is "
        "not set");
  }
  return of_step;
}

}  // namespace mpbench::commands

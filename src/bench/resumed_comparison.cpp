#include "mpbench/bench/resumed_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"

namespace mpbench::bench {
namespace {

namespace fs = std::filesystem;

/// What may differ beside the axes: how long the comparison goes on, how it is judged, and what
/// changes no result.
const std::set<std::string> free_options{
    "repeats",          "max-time",   "margin",   "confidence", "equivalence", "target-precision",
    "sessions",         "speed-only", "together", "primary",    "data",        "checkpoints",
    "checkpoint-steps", "require"};

/// "--epochs was 5 and is 1 now", for each that differs; empty where none does.
std::string differences(const fs::path& config_then, const std::string& config_now,
                        const Grid& grid) {
  std::ifstream file(config_then);
  const auto then = toml_lines(std::string(std::istreambuf_iterator<char>(file), {}));
  std::string found;
  for (const auto& [name, value] : toml_lines(config_now)) {
    const auto before = then.find(name);
    if (before == then.end() || before->second == value || free_options.contains(name) ||
        grid.find(name) != nullptr) {
      continue;
    }
    found += fmt::format("{}--{} was {} and is {} now", found.empty() ? "" : ", ", name,
                         before->second, value);
  }
  return found;
}

}  // namespace

void require_same_options(const fs::path& out, const Grid& grid,
                          const std::vector<Configuration>& plan, const ConfigHash& hash_of,
                          const std::string& config_now) {
  const auto refuse = [&](const std::string& what_was_made) {
    const std::string what = differences(out / "config.toml", config_now, grid);
    throw UsageError(fmt::format(
        "--resume: {} in {} was made with other options{}: give the same ones (--config {}), or "
        "choose another --out",
        what_was_made, out.string(), what.empty() ? " or other data" : " (" + what + ")",
        (out / "config.toml").string()));
  };
  const std::vector<RunOutput> runs = read_runs(out);
  const std::vector<BlockRecord> blocks = read_blocks(out);
  for (const Configuration& configuration : plan) {
    for (const Arm& arm : configuration.arms) {
      for (const RunOutput& output : runs) {
        const RunRecord& run = output.run;
        // One that was for its speed alone had no end; one that did not come through is done again.
        if (run.status != RunStatus::ok || !run.val_loss) continue;
        if (without_repeat(run.run_id) != arm.id) continue;
        const auto repeat = static_cast<int>(run.repeat.value_or(1));
        if (hash_of(make_run(grid, arm, repeat).config) != run.config_hash) refuse(run.run_id);
      }
      const std::string hash = blocks.empty() ? std::string() : hash_of(arm.config);
      for (const BlockRecord& block : blocks) {
        if (block.configuration != configuration.name || block.arm != arm.name) continue;
        if (block.config_hash != hash) refuse(arm.id);
      }
    }
  }
}

}  // namespace mpbench::bench

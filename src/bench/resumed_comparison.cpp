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
const std::set<std::string> free_options{"repeats", "max-time",    "margin",          "confidence",
                                         "data",    "checkpoints", "checkpoint-steps"};

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

void require_same_options(const fs::path& out, const std::vector<RunSpec>& plan, const Grid& grid,
                          const ConfigHash& hash_of, const std::string& config_now) {
  for (const RunOutput& output : read_runs(out)) {
    const RunRecord& run = output.run;
    if (run.status != RunStatus::ok) continue;  // it will be done again
    const auto same = std::find_if(plan.begin(), plan.end(), [&](const RunSpec& spec) {
      return without_repeat(spec.run_id) == without_repeat(run.run_id);
    });
    if (same == plan.end() || hash_of(same->config) == run.config_hash) continue;
    const std::string what = differences(out / "config.toml", config_now, grid);
    throw UsageError(fmt::format(
        "--resume: {} in {} was made with other options{}: give the same ones (--config {}), or "
        "choose another --out",
        run.run_id, out.string(), what.empty() ? " or other data" : " (" + what + ")",
        (out / "config.toml").string()));
  }
}

}  // namespace mpbench::bench

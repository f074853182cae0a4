#include "resumed_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/io/toml_text.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// What may differ: what the comparison varies itself, how long it goes on, and how it is judged.
const std::set<std::string> free_options{
    "precision", "model",       "batch-size",      "image-size", "channels-last",
    "seed",      "repeats",     "max-time",        "margin",     "confidence",
    "data",      "checkpoints", "checkpoint-steps"};

/// "--epochs was 5 and is 1 now", for each that differs; empty where none does.
std::string differences(const fs::path& config_then, const std::string& config_now) {
  std::ifstream file(config_then);
  const auto then = toml_lines(std::string(std::istreambuf_iterator<char>(file), {}));
  std::string found;
  for (const auto& [name, value] : toml_lines(config_now)) {
    const auto before = then.find(name);
    if (before == then.end() || before->second == value || free_options.contains(name)) continue;
    found += fmt::format("{}--{} was {} and is {} now", found.empty() ? "" : ", ", name,
                         before->second, value);
  }
  return found;
}

}  // namespace

void require_same_options(const fs::path& out, const std::vector<bench::RunOutput>& runs,
                          const std::vector<bench::RunSpec>& plan, const ConfigHash& hash_now,
                          const std::string& config_now) {
  for (const auto& output : runs) {
    const bench::RunRecord& run = output.run;
    if (run.status != bench::RunStatus::ok) continue;  // it will be done again
    const auto same = std::find_if(plan.begin(), plan.end(), [&](bench::RunSpec spec) {
      spec.repeat = static_cast<int>(run.repeat.value_or(1));
      return bench::make_run_id(spec) == run.run_id;
    });
    if (same == plan.end() || hash_now(*same) == run.config_hash) continue;
    const std::string what = differences(out / "config.toml", config_now);
    throw UsageError(fmt::format(
        "--resume: {} in {} was made with other options{}: give the same ones (--config {}), or "
        "choose another --out",
        run.run_id, out.string(), what.empty() ? " or other data" : " (" + what + ")",
        (out / "config.toml").string()));
  }
}

}  // namespace mpbench::commands

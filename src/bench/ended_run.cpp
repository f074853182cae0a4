#include "ended_run.hpp"

#include <csignal>
#include <string>
#include <vector>

#include "mpbench/bench/run_folder.hpp"

namespace mpbench::bench {
namespace {

/// The record of a run whose process left none.
RunOutput lost_run(const RunSpec& spec, const ProcessResult& process) {
  RunOutput lost;
  lost.run = {.run_id = spec.run_id,
              .status = RunStatus::failed,
              .error = process.last_line.empty() ? describe(process) : process.last_line,
              .precision = std::string(to_string(spec.config.precision)),
              .model = spec.config.model.name,
              .batch_size = spec.config.batch_size,
              .channels_last = spec.config.channels_last,
              .seed = spec.config.seed,
              .repeat = spec.repeat};
  // The kernel ends what takes too much memory with SIGKILL; nothing else here sends it unasked.
  if (process.signal == SIGKILL && !process.interrupted) {
    lost.run.status = RunStatus::oom;
    lost.run.error = describe(process) + ": most likely the kernel's out-of-memory killer";
  }
  if (process.interrupted) lost.run.status = RunStatus::interrupted;
  return lost;
}

}  // namespace

RunOutput read_run(const std::filesystem::path& folder, const RunSpec& run,
                   const ProcessResult& process) {
  std::vector<RunOutput> runs = read_runs(folder);
  if (runs.empty()) return lost_run(run, process);
  runs.front().predictions = read_predictions(folder, run.run_id);
  if (process.signal != 0 && !process.interrupted) {
    runs.front().run.status = lost_run(run, process).run.status;
    runs.front().run.error = describe(process);
  }
  return runs.front();
}

}  // namespace mpbench::bench

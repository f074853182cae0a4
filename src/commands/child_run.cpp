#include "child_run.hpp"

#include <csignal>
#include <string>
#include <vector>

#include "mpbench/bench/process.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "run_folder.hpp"

namespace mpbench::commands {
namespace {

namespace fs = std::filesystem;

/// The record of a run whose process left none.
bench::RunOutput lost_run(const bench::RunSpec& spec, const bench::ProcessResult& process) {
  bench::RunOutput lost;
  lost.run = {.run_id = spec.run_id,
              .status = bench::RunStatus::failed,
              .error = process.last_line.empty() ? describe(process) : process.last_line,
              .precision = spec.precision,
              .model = spec.model,
              .batch_size = spec.batch_size,
              .channels_last = spec.channels_last,
              .seed = spec.seed,
              .repeat = spec.repeat};
  // The kernel ends what takes too much memory with SIGKILL; nothing else here sends it unasked.
  if (process.signal == SIGKILL && !process.interrupted) {
    lost.run.status = bench::RunStatus::oom;
    lost.run.error = describe(process) + ": most likely the kernel's out-of-memory killer";
  }
  if (process.interrupted) lost.run.status = bench::RunStatus::interrupted;
  return lost;
}

}  // namespace

bench::RunOutput run_in_process(const bench::RunSpec& spec, const train::TrainConfig& config,
                                const fs::path& out) {
  const fs::path folder = out / "runs" / spec.run_id;
  fs::remove_all(folder);
  make_writable_folder(folder);
  write_file(folder / "run.toml", train::to_toml(config));
  const bench::ProcessResult process = bench::run_process(
      {.argv = {"/proc/self/exe", "train", "--config", (folder / "run.toml").string(), "--out",
                folder.string(), "--run-id", spec.run_id, "--repeat", std::to_string(spec.repeat),
                "--progress", "never"},
       .log = folder / "output.log"});
  std::vector<bench::RunOutput> runs = read_runs(folder);
  if (runs.empty()) return lost_run(spec, process);
  runs.front().predictions = read_predictions(folder, spec.run_id);
  if (process.signal != 0 && !process.interrupted) {
    runs.front().run.status = lost_run(spec, process).run.status;
    runs.front().run.error = describe(process);
  }
  return runs.front();
}

}  // namespace mpbench::commands

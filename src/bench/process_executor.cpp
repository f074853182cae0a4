#include <string>

#include "ended_run.hpp"
#include "mpbench/bench/executor.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "process.hpp"

namespace mpbench::bench {

RunOutput ProcessExecutor::execute(const RunSpec& spec) {
  const std::filesystem::path folder = out_ / "runs" / spec.run_id;
  std::filesystem::remove_all(folder);
  make_writable_folder(folder);
  write_file(folder / "run.toml", train::to_toml(spec.config));
  const std::string program = spec.program.empty() ? "/proc/self/exe" : spec.program.string();
  const ProcessResult process =
      run_process({.argv = {program, "train", "--config", (folder / "run.toml").string(), "--out",
                            folder.string(), "--run-id", spec.run_id, "--repeat",
                            std::to_string(spec.repeat), "--progress", "never"},
                   .log = folder / "output.log"});
  return read_run(folder, spec, process);
}

}  // namespace mpbench::bench

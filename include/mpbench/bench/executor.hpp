#pragma once

#include <filesystem>

#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"

namespace mpbench::bench {

/// How a comparison does one of its runs: in a process of its own in earnest, by a fake in tests.
class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Does one run and returns what it left. A run that ended badly says so in its record; only what
  /// keeps it from being started is thrown.
  virtual RunOutput execute(const RunSpec& spec) = 0;
};

/// Runs `mpbench train` in a process of its own for each run, in OUT/runs/RUN_ID, with its options
/// in run.toml and its output in output.log, and reads back what it left. A run whose process ended
/// without a row gets one that says how it ended.
class ProcessExecutor : public Executor {
 public:
  explicit ProcessExecutor(std::filesystem::path out) : out_(std::move(out)) {}
  RunOutput execute(const RunSpec& spec) override;

 private:
  std::filesystem::path out_;
};

}  // namespace mpbench::bench

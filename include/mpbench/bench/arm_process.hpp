#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"
#include "mpbench/bench/session_record.hpp"

namespace mpbench::bench {

/// The process of an arm ended before it was told to. `what()` is the reason.
class ArmEnded : public Error {
 public:
  explicit ArmEnded(RunOutput left);
  /// What it left, with its status and the reason.
  RunOutput output;
};

/// A run that trains in turns. All of it may throw ArmEnded, and Interrupted where a stop was asked
/// for; it is then of no more use.
class ArmProcess {
 public:
  ArmProcess() = default;
  ArmProcess(const ArmProcess&) = delete;
  ArmProcess& operator=(const ArmProcess&) = delete;
  virtual ~ArmProcess() = default;

  /// Returns once data and model are there.
  virtual void wait_until_loaded() = 0;
  /// Warms the model up; it waits for its turn then. Returns how many steps the run has.
  virtual std::int64_t warm_up() = 0;
  /// Trains so many steps; fewer only where the run has no more.
  virtual BlockStats train_block(std::int64_t steps) = 0;
  /// The same with a profiler that looks on; finish() then leaves operators.csv and
  /// convolutions.csv beside the run's other files, and trace.json.
  virtual BlockStats profile_block(std::int64_t steps) = 0;
  /// Trains to the end and validates, or ends here where the session is for speed alone. Returns
  /// what the run left.
  virtual RunOutput finish() = 0;
  /// The process's number; empty where it is made up.
  virtual std::optional<pid_t> process_id() const { return std::nullopt; }
};

/// Starts the processes of a session: in earnest, or made up in tests.
class ArmStarter {
 public:
  ArmStarter() = default;
  ArmStarter(const ArmStarter&) = delete;
  ArmStarter& operator=(const ArmStarter&) = delete;
  virtual ~ArmStarter() = default;
  virtual std::unique_ptr<ArmProcess> start(const RunSpec& run, SessionKind kind) = 0;
};

/// The absolute path of another build of this program. Throws Error naming --with where it cannot
/// be started or is another program, by what it answers to --version.
std::filesystem::path find_mpbench(const std::filesystem::path& program);

/// Starts `mpbench train` for each, of this program or of another build, in OUT/runs/RUN_ID.
class ProcessStarter : public ArmStarter {
 public:
  explicit ProcessStarter(std::filesystem::path out) : out_(std::move(out)) {}
  std::unique_ptr<ArmProcess> start(const RunSpec& run, SessionKind kind) override;

 private:
  std::filesystem::path out_;
};

}  // namespace mpbench::bench

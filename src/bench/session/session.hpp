#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mpbench/bench/arm_process.hpp"
#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/core/progress.hpp"

namespace mpbench::bench {

/// One process of a session.
struct SessionArm {
  const Arm* arm = nullptr;
  RunSpec run;
  std::string config_hash;
  double step_s = 0;  ///< seconds a step takes as far as is known; 0: not known
};

struct SessionOptions {
  std::string configuration;
  int number = 1;
  std::uint64_t seed = 0;  ///< of the orders, the same for all sessions of the configuration
  SessionKind kind = SessionKind::speed_only;
  bool together = true;  ///< all processes at once, in turns of a block; else one after another
  /// Seconds for all blocks of a session whose processes take so many seconds to start; 0, or no
  /// function: as long as it takes.
  std::function<double(double start_s)> block_budget;
  bool stop_on_oom = false;  ///< where memory runs out the others are not gone on with
  int rounds = 8;
  std::int64_t profile_steps = 0;  ///< that each process profiles after its blocks
  ProgressFunction progress;
};

struct SessionResult {
  std::vector<BlockRecord> blocks;  ///< of the processes that came through
  std::vector<RunOutput> runs;      ///< of all, in the order of the arms
  SessionRecord record;             ///< of the session itself
};

/// Runs a session: every process is started, trains in turns, and is ended. One
/// that ends by itself is out of the session, and the others go on; without the baseline they end
/// too. Updates what is known of a step's seconds. Throws Interrupted where a stop was asked for.
SessionResult run_session(std::vector<SessionArm>& arms, ArmStarter& starter,
                          const SessionOptions& options);

}  // namespace mpbench::bench

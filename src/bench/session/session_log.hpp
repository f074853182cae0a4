#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/plan.hpp"
#include "mpbench/bench/runner.hpp"
#include "mpbench/bench/session_record.hpp"
#include "session.hpp"

namespace mpbench::bench {

/// What the sessions of a comparison have left so far, in memory and in its folder.
class SessionLog {
 public:
  /// Reads what the folder holds.
  explicit SessionLog(std::filesystem::path out);

  /// Takes over a session's results and writes the files. A run for speed alone does not take the
  /// place of a training, nor one that failed of one that came through.
  void add(SessionResult result);

  /// Whether that session has blocks of the arm that count, made with these options.
  bool has_blocks(const std::string& configuration, const Arm& arm, int session,
                  const std::string& config_hash) const;
  /// Whether the run was trained to its end and validated, or diverged.
  bool has_training(const std::string& run_id) const;
  bool diverged(const std::string& run_id) const;

  const std::vector<BlockRecord>& blocks() const { return blocks_; }
  const std::vector<SessionRecord>& sessions() const { return sessions_; }
  std::vector<RunRecord> runs() const;

 private:
  void write();

  std::filesystem::path out_;
  std::vector<RunOutput> runs_;
  std::vector<BlockRecord> blocks_;
  std::vector<SessionRecord> sessions_;  ///< those that left blocks
};

}  // namespace mpbench::bench

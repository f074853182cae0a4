#include "session_log.hpp"

#include <algorithm>
#include <utility>

#include "mpbench/bench/run_folder.hpp"

namespace mpbench::bench {
namespace {

bool was_trained(const RunRecord& run) {
  return run.status == RunStatus::ok && run.val_loss.has_value();
}

/// Of two runs of one id the one to keep.
bool replaces(const RunRecord& newer, const RunRecord& older) {
  if (was_trained(older)) return was_trained(newer);
  return newer.status == RunStatus::ok || older.status != RunStatus::ok;
}

}  // namespace

SessionLog::SessionLog(std::filesystem::path out)
    : out_(std::move(out)),
      runs_(read_runs(out_)),
      blocks_(read_blocks(out_)),
      sessions_(read_sessions(out_)) {}

void SessionLog::add(SessionResult result) {
  for (RunOutput& run : result.runs) {
    const auto same = std::find_if(runs_.begin(), runs_.end(), [&](const RunOutput& old) {
      return old.run.run_id == run.run.run_id;
    });
    if (same == runs_.end()) {
      runs_.push_back(std::move(run));
    } else if (replaces(run.run, same->run)) {
      runs_.erase(same);
      runs_.push_back(std::move(run));
    }
  }
  const auto is_replaced = [&](const BlockRecord& old) {
    return std::any_of(result.blocks.begin(), result.blocks.end(), [&](const BlockRecord& block) {
      return block.configuration == old.configuration && block.session == old.session;
    });
  };
  std::erase_if(blocks_, is_replaced);
  blocks_.insert(blocks_.end(), result.blocks.begin(), result.blocks.end());
  if (!result.blocks.empty()) {
    std::erase_if(sessions_, [&](const SessionRecord& old) {
      return old.configuration == result.record.configuration &&
             old.session == result.record.session;
    });
    sessions_.push_back(std::move(result.record));
  }
  write();
}

void SessionLog::write() {
  // The blocks last: they are what says that a session is done.
  write_runs(out_, runs_);
  write_sessions(out_, sessions_);
  write_blocks(out_, blocks_);
  // They are on disk: what is kept here would be written again after every later session.
  for (RunOutput& run : runs_) run.predictions.clear();
}

bool SessionLog::has_blocks(const std::string& configuration, const Arm& arm, int session,
                            const std::string& config_hash) const {
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const BlockRecord& block) {
    return block.session == session && block.round > 0 && block.arm == arm.name &&
           block.configuration == configuration && block.config_hash == config_hash;
  });
}

bool SessionLog::has_training(const std::string& run_id) const {
  return diverged(run_id) || std::any_of(runs_.begin(), runs_.end(), [&](const RunOutput& output) {
           return output.run.run_id == run_id && was_trained(output.run);
         });
}

bool SessionLog::diverged(const std::string& run_id) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const RunOutput& output) {
    return output.run.run_id == run_id && output.run.status == RunStatus::diverged;
  });
}

std::vector<RunRecord> SessionLog::runs() const {
  std::vector<RunRecord> records;
  for (const RunOutput& output : runs_) records.push_back(output.run);
  return records;
}

}  // namespace mpbench::bench

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "speed_comparison.hpp"

namespace mpbench::bench {
namespace {

/// Logs of the seconds that a useful image took: one whose step was not skipped.
struct LogTimes {
  double whole = 0;
  double compute = 0;
};

struct ArmBlocks {
  const BlockRecord* first = nullptr;  ///< says what arm it is
  /// By session and round: the blocks of the round's two halves.
  std::map<std::int64_t, std::map<std::int64_t, std::vector<const BlockRecord*>>> sessions;
};

/// In the order in which they first appear.
std::vector<ArmBlocks> by_arm(std::span<const BlockRecord> blocks) {
  std::vector<ArmBlocks> arms;
  for (const BlockRecord& block : blocks) {
    auto found = std::find_if(arms.begin(), arms.end(),
                              [&](const ArmBlocks& arm) { return arm.first->arm == block.arm; });
    if (found == arms.end()) {
      arms.push_back({.first = &block, .sessions = {}});
      found = arms.end() - 1;
    }
    if (block.round > 0 && block.steps > 0) {
      found->sessions[block.session][block.round].push_back(&block);
    }
  }
  return arms;
}

/// Nothing where a half is missing, or no step of a half was useful.
std::optional<LogTimes> log_times(const std::vector<const BlockRecord*>& halves) {
  if (halves.size() != 2) return std::nullopt;
  LogTimes sums;
  for (const BlockRecord* block : halves) {
    const double useful = static_cast<double>(block->images) *
                          static_cast<double>(block->steps - block->skipped_steps) /
                          static_cast<double>(block->steps);
    const double compute_s = block->time_s - block->data_wait_s;
    if (!(useful > 0) || !(block->time_s > 0) || !(compute_s > 0)) return std::nullopt;
    sums.whole += block->time_s / useful / 2;
    sums.compute += compute_s / useful / 2;
  }
  return LogTimes{.whole = std::log(sums.whole), .compute = std::log(sums.compute)};
}

const ArmBlocks* find_arm(const std::vector<ArmBlocks>& arms, const std::string& name) {
  const auto found = std::find_if(arms.begin(), arms.end(),
                                  [&](const ArmBlocks& arm) { return arm.first->arm == name; });
  return found == arms.end() ? nullptr : &*found;
}

/// Those arms whose mean an arm is compared with: the baseline and its copy, or another arm alone.
std::vector<const ArmBlocks*> references(const std::vector<ArmBlocks>& arms, const ArmBlocks& arm,
                                         const std::string& compared_with) {
  const ArmBlocks* reference = find_arm(arms, compared_with);
  if (reference == nullptr) return {};
  std::vector<const ArmBlocks*> all{reference};
  if (reference->first->arm_kind != ArmKind::baseline || arm.first->arm_kind == ArmKind::null) {
    return all;
  }
  for (const ArmBlocks& other : arms) {
    if (other.first->arm_kind == ArmKind::null) all.push_back(&other);
  }
  return all;
}

/// Adds what one session says, where all came through.
void add_session(std::int64_t session, const ArmBlocks& arm,
                 const std::vector<const ArmBlocks*>& with, SessionValues& values) {
  std::vector<double> contrasts;
  std::vector<double> compute;
  for (const auto& [round, halves] : arm.sessions.at(session)) {
    if (halves.size() != 2) continue;
    const auto own = log_times(halves);
    LogTimes reference;
    bool complete = own.has_value();
    for (const ArmBlocks* other : with) {
      const auto found = other->sessions.find(session);
      if (found == other->sessions.end()) return;
      const auto same_round = found->second.find(round);
      const auto times =
          same_round == found->second.end() ? std::nullopt : log_times(same_round->second);
      complete = complete && times.has_value();
      if (!times) continue;
      reference.whole += times->whole / static_cast<double>(with.size());
      reference.compute += times->compute / static_cast<double>(with.size());
    }
    if (!complete) {
      ++values.skipped_rounds;
      continue;
    }
    contrasts.push_back(reference.whole - own->whole);
    compute.push_back(reference.compute - own->compute);
  }
  if (contrasts.empty()) return;
  values.sessions.push_back(session);
  values.values.push_back(stats::hodges_lehmann(contrasts));
  values.compute_values.push_back(stats::hodges_lehmann(compute));
  values.rounds += static_cast<std::int64_t>(contrasts.size());
}

SessionValues values_of(const std::vector<ArmBlocks>& arms, const ArmBlocks& arm,
                        const std::string& compared_with) {
  SessionValues values{.arm = arm.first->arm,
                       .compared_with = compared_with,
                       .kind = arm.first->arm_kind,
                       .sessions = {},
                       .values = {},
                       .compute_values = {}};
  const std::vector<const ArmBlocks*> with = references(arms, arm, compared_with);
  if (with.empty()) return values;
  for (const auto& [session, rounds] : arm.sessions) add_session(session, arm, with, values);
  return values;
}

}  // namespace

std::vector<SessionValues> session_values(std::span<const BlockRecord> blocks) {
  const std::vector<ArmBlocks> arms = by_arm(blocks);
  std::vector<SessionValues> all;
  const ArmBlocks* baseline = nullptr;
  const ArmBlocks* last_rung = nullptr;
  for (const ArmBlocks& arm : arms) {
    if (arm.first->arm_kind == ArmKind::baseline) baseline = &arm;
  }
  for (const ArmBlocks& arm : arms) {
    if (arm.first->arm_kind == ArmKind::baseline) continue;
    all.push_back(values_of(arms, arm, arm.first->compared_with));
    const bool is_rung = baseline != nullptr && arm.first->arm_kind == ArmKind::arm &&
                         arm.first->compared_with != baseline->first->arm;
    if (is_rung) last_rung = &arm;
  }
  if (last_rung != nullptr) all.push_back(values_of(arms, *last_rung, baseline->first->arm));
  return all;
}

std::vector<ArmSpeeds> session_speeds(std::span<const BlockRecord> blocks) {
  std::vector<ArmSpeeds> all;
  for (const ArmBlocks& arm : by_arm(blocks)) {
    ArmSpeeds& speeds = all.emplace_back();
    speeds.arm = arm.first->arm;
    speeds.kind = arm.first->arm_kind;
    for (const auto& [session, rounds] : arm.sessions) {
      std::vector<double> values;
      for (const auto& [round, halves] : rounds) {
        if (const auto times = log_times(halves)) values.push_back(-times->whole);
      }
      if (values.empty()) continue;
      speeds.values.push_back(stats::hodges_lehmann(values));
      speeds.rounds += static_cast<std::int64_t>(values.size());
    }
  }
  return all;
}

}  // namespace mpbench::bench

#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpbench/bench/block_record.hpp"
#include "mpbench/bench/speed_options.hpp"
#include "mpbench/stats/session_statistics.hpp"
#include "mpbench/stats/speed_verdict.hpp"

namespace mpbench::bench {

/// The log of how many times as fast an arm was as what it is compared with, a value a session.
/// Those of one arm, and which sessions they are of, go by the same places.
struct SessionValues {
  std::string arm;
  std::string compared_with;
  ArmKind kind = ArmKind::arm;
  std::vector<std::int64_t> sessions;
  std::vector<double> values;          ///< of useful images/s, data wait included
  std::vector<double> compute_values;  ///< the same without the data wait; empty: not known
  std::int64_t rounds = 0;             ///< of all sessions together
  std::int64_t skipped_rounds = 0;     ///< with a block in which every step was skipped
};

/// Of blocks or sessions those of one configuration; none for runs that know of none.
template <class Record>
std::vector<Record> those_of(const std::vector<Record>& records, const std::string& configuration) {
  std::vector<Record> own;
  if (configuration.empty()) return own;
  std::copy_if(records.begin(), records.end(), std::back_inserter(own),
               [&](const Record& record) { return record.configuration == configuration; });
  return own;
}

/// The values of the arms of one configuration, in the order in which they first appear; the null
/// arm among them. A session counts for an arm where the baseline, its copy and the arm came
/// through. Where rungs of a ladder are compared with one another, a last element compares the last
/// one with the baseline.
std::vector<SessionValues> session_values(std::span<const BlockRecord> blocks);

/// How fast one arm was, whatever the others did in the same sessions.
struct ArmSpeeds {
  std::string arm;
  ArmKind kind = ArmKind::arm;
  std::vector<double> values;  ///< the log of useful images/s, data wait included, a session each
  std::int64_t rounds = 0;     ///< of all sessions together
};

/// The speeds of all arms of one configuration, in the order in which they first appear. A
/// session's value is the Hodges-Lehmann estimate of its rounds.
std::vector<ArmSpeeds> session_speeds(std::span<const BlockRecord> blocks);

/// An arm's speed against what it is compared with.
struct SpeedComparison {
  SessionValues sessions;
  std::optional<double> mean;                      ///< log of the speed-up; empty without a session
  std::optional<stats::SessionInterval> interval;  ///< empty with fewer than two sessions
  std::optional<stats::SessionInterval> compute;   ///< of the compute time alone
  std::optional<double> process_sd;         ///< of the log of a process's speed, by the null arm
  std::optional<double> detectable_effect;  ///< a share
  std::optional<stats::SpeedVerdict> verdict;
  std::vector<std::string> notes;
};

/// Judges the arms of one configuration together.
std::vector<SpeedComparison> compare_speed(std::vector<SessionValues> arms,
                                           const SpeedOptions& options);

}  // namespace mpbench::bench

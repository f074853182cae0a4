#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mpbench/bench/run_record.hpp"

namespace mpbench::bench {

/// What one process did in one of its turns.
struct BlockStats {
  std::int64_t steps = 0;
  std::int64_t images = 0;
  std::int64_t skipped_steps = 0;
  double time_s = 0;                    ///< of training, data wait included
  double data_wait_s = 0;               ///< part of it
  double cpu_time_s = 0;                ///< user and system seconds of all threads
  std::int64_t page_faults = 0;         ///< that needed no disk (getrusage(2), ru_minflt)
  std::int64_t major_page_faults = 0;   ///< that did (ru_majflt)
  std::int64_t preemptions = 0;         ///< ru_nivcsw: another program took the processor
  std::int64_t voluntary_switches = 0;  ///< ru_nvcsw
  bool run_finished = false;            ///< the run has no steps left
};

/// One row of blocks.csv: the steps that the process of one arm took in one turn of a session. A
/// session's rounds count from 1; round 0 is warm-up and counts in no figure.
struct BlockRecord {
  std::string configuration;
  std::string arm;
  ArmKind arm_kind = ArmKind::arm;
  std::string compared_with;
  std::int64_t session = 0;
  std::int64_t round = 0;
  std::int64_t place = 0;  ///< in the round, from 0: which turn of the round it was
  std::int64_t steps = 0;
  std::int64_t images = 0;
  std::int64_t skipped_steps = 0;
  double time_s = 0;
  double data_wait_s = 0;
  double cpu_time_s = 0;
  std::int64_t page_faults = 0;
  std::int64_t major_page_faults = 0;
  std::int64_t preemptions = 0;
  std::int64_t voluntary_switches = 0;
  std::string config_hash;  ///< of the arm's options, without what a session changes
};

template <RecordOf<BlockRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("configuration", r.configuration);
  visit("arm", r.arm);
  visit("arm_kind", r.arm_kind);
  visit("compared_with", r.compared_with);
  visit("session", r.session);
  visit("round", r.round);
  visit("place", r.place);
  visit("steps", r.steps);
  visit("images", r.images);
  visit("skipped_steps", r.skipped_steps);
  visit("time_s", r.time_s);
  visit("data_wait_s", r.data_wait_s);
  visit("cpu_time_s", r.cpu_time_s);
  visit("page_faults", r.page_faults);
  visit("major_page_faults", r.major_page_faults);
  visit("preemptions", r.preemptions);
  visit("voluntary_switches", r.voluntary_switches);
  visit("config_hash", r.config_hash);
}

}  // namespace mpbench::bench

#include "../../src/bench/session/machine_notes.hpp"

#include <gmock/gmock.h>

#include "mpbench/bench/comparison.hpp"

namespace mpbench::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> notes_on_sessions(const std::vector<SessionRecord>& sessions) {
  return machine_notes(sessions, {});
}

TEST(MachineNotesTest, AQuietMachineHasNone) {
  EXPECT_THAT(notes_on_sessions({}), IsEmpty());
  EXPECT_THAT(notes_on_sessions({SessionRecord{}, SessionRecord{}}), IsEmpty()) << "not measured";
  const SessionRecord quiet{.steal_fraction = 0.02,
                            .other_cpu_fraction = 0.05,
                            .frequency_mhz = 3000,
                            .device_throttled = "none"};
  SessionRecord slower = quiet;
  slower.frequency_mhz = 2860;
  EXPECT_THAT(notes_on_sessions({quiet, slower}), IsEmpty());
}

TEST(MachineNotesTest, NamesOtherPrograms) {
  EXPECT_THAT(notes_on_sessions({{.other_cpu_fraction = 0.9},
                                 {.other_cpu_fraction = 0.234},
                                 {.other_cpu_fraction = 0.01}}),
              ElementsAre("other programs used 23 % of the processors (median over sessions)"));
  EXPECT_THAT(notes_on_sessions({{.other_cpu_fraction = 0.9},
                                 {.other_cpu_fraction = 0.01},
                                 {.other_cpu_fraction = 0.01}}),
              IsEmpty());
  EXPECT_THAT(notes_on_sessions({{.other_cpu_fraction = 1}, SessionRecord{}}),
              ElementsAre(HasSubstr("100 %")))
      << "of the sessions that know";
}

TEST(MachineNotesTest, NamesTheHypervisor) {
  EXPECT_THAT(notes_on_sessions({{.steal_fraction = 0.08}}),
              ElementsAre("the hypervisor took 8 % of the processors' time"));
}

TEST(MachineNotesTest, NamesAFrequencyThatVaries) {
  EXPECT_THAT(
      notes_on_sessions({{.frequency_mhz = 3000}, {.frequency_mhz = 2640}, SessionRecord{}}),
      ElementsAre("the processors' frequency varied by 13 % between sessions"));
  EXPECT_THAT(notes_on_sessions({{.frequency_mhz = 3000}}), IsEmpty());
}

TEST(MachineNotesTest, NamesWhatSlowedTheGpuDown) {
  EXPECT_THAT(notes_on_sessions({{.device_throttled = "thermal"}, {.device_throttled = "thermal"}}),
              ElementsAre("the GPU was throttled (thermal)"));
  EXPECT_THAT(notes_on_sessions({{.device_throttled = "none"},
                                 {.device_throttled = "thermal"},
                                 {.device_throttled = "power, thermal"}}),
              ElementsAre("the GPU was throttled (power, thermal) in 2 of 3 sessions"));
}

BlockRecord preempted(std::int64_t session, std::int64_t round, std::int64_t times) {
  return {.session = session, .round = round, .cpu_time_s = 2, .preemptions = times};
}

TEST(MachineNotesTest, NamesPreemptionsWhereNothingElseShowsOtherWork) {
  const std::vector<BlockRecord> blocks{preempted(1, 0, 90000), preempted(1, 1, 1000),
                                        preempted(1, 2, 1400), preempted(2, 1, 1200)};
  EXPECT_THAT(machine_notes({}, blocks),
              ElementsAre("processes were preempted 600 times a second of processor time"))
      << "warm-up does not count";
  const std::vector<SessionRecord> others{{.other_cpu_fraction = 0.4}};
  EXPECT_THAT(machine_notes(others, blocks), ElementsAre(HasSubstr("other programs used 40 %")));
  const std::vector<SessionRecord> hypervisor{{.steal_fraction = 0.4}};
  EXPECT_THAT(machine_notes(hypervisor, blocks), ElementsAre(HasSubstr("the hypervisor")));
  const std::vector<BlockRecord> own_threads{preempted(1, 1, 600), preempted(2, 1, 560)};
  EXPECT_THAT(machine_notes({}, own_threads), IsEmpty());
  const BlockRecord moment{.session = 1, .round = 1, .cpu_time_s = 0.1, .preemptions = 100};
  EXPECT_THAT(machine_notes({}, std::vector<BlockRecord>{moment, BlockRecord{}}), IsEmpty());
}

TEST(MachineNotesTest, EveryComparisonOfTheConfigurationHasThem) {
  Measurements measured;
  for (const char* configuration : {"a", "b"}) {
    for (const auto& [arm, kind] :
         {std::pair("fp32", ArmKind::baseline), std::pair("bf16", ArmKind::arm),
          std::pair("null", ArmKind::null)}) {
      RunRecord run;
      run.run_id = std::string(configuration) + "-" + arm;
      run.status = RunStatus::ok;
      run.precision = kind == ArmKind::arm ? "bf16" : "fp32";
      run.repeat = 1;
      run.configuration = configuration;
      run.arm = arm;
      run.arm_kind = kind;
      run.compared_with = kind == ArmKind::baseline ? "" : "fp32";
      measured.runs.push_back(run);
    }
  }
  measured.sessions = {{.configuration = "a", .session = 1, .other_cpu_fraction = 0.3},
                       {.configuration = "b", .session = 1, .other_cpu_fraction = 0.01}};
  const auto rows = compare_runs(measured, [](const std::string&) {
                      return std::vector<PredictionRow>();
                    }).comparisons;
  ASSERT_EQ(rows.size(), 4U);
  for (const Comparison& row : rows) {
    const bool noted = row.note.find("other programs used 30 %") != std::string::npos;
    EXPECT_EQ(noted, row.configuration == "a") << row.configuration << ' ' << row.arm;
  }
}

}  // namespace
}  // namespace mpbench::bench

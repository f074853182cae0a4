#include "mpbench/bench/sessions.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>

#include "mpbench/bench/resumed_comparison.hpp"
#include "mpbench/bench/run_folder.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::bench {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// What happens to a run when it is asked for something; may throw.
enum class Moment { start, block, finish };
using Trouble = std::function<void(const RunSpec& run, SessionKind kind, Moment moment)>;

RunOutput output_of(const RunSpec& run, RunStatus status, SessionKind kind) {
  RunOutput output;
  output.run.run_id = run.run_id;
  output.run.status = status;
  output.run.precision = to_string(run.config.precision);
  output.run.repeat = run.repeat;
  output.run.seed = run.config.seed;
  output.run.config_hash = "hash";
  if (kind == SessionKind::training && status == RunStatus::ok) {
    output.run.val_loss = 0.5;
    output.predictions = {{.sample_id = "a", .group = "p"}};
  }
  return output;
}

[[noreturn]] void end(const RunSpec& run, RunStatus status) {
  RunOutput left = output_of(run, status, SessionKind::speed_only);
  left.run.error = "the reason";
  throw ArmEnded(left);
}

/// Trains in no time: a step of fp32 takes 1 ms, one of bf16 half of that.
class FakeArm : public ArmProcess {
 public:
  FakeArm(RunSpec run, SessionKind kind, Trouble trouble, std::int64_t steps)
      : run_(std::move(run)), kind_(kind), trouble_(std::move(trouble)), steps_(steps) {}

  void wait_until_loaded() override {
    if (trouble_) trouble_(run_, kind_, Moment::start);
  }
  std::int64_t warm_up() override { return steps_; }
  BlockStats train_block(std::int64_t steps) override {
    if (trouble_) trouble_(run_, kind_, Moment::block);
    const double step_s = run_.config.precision == Precision::bf16 ? 5e-4 : 1e-3;
    // So that the sessions are not all the same; those of fp16 are far from it.
    double slower = 1 + 1e-4 * run_.repeat;
    if (run_.config.precision == Precision::fp16) slower = run_.repeat % 2 == 0 ? 1.2 : 0.8;
    return {.steps = steps,
            .images = 8 * steps,
            .time_s = step_s * slower * static_cast<double>(steps)};
  }
  BlockStats profile_block(std::int64_t steps) override { return train_block(steps); }
  RunOutput finish() override {
    if (trouble_) trouble_(run_, kind_, Moment::finish);
    return output_of(run_, RunStatus::ok, kind_);
  }

 private:
  RunSpec run_;
  SessionKind kind_;
  Trouble trouble_;
  std::int64_t steps_;
};

class FakeStarter : public ArmStarter {
 public:
  explicit FakeStarter(Trouble trouble = {}) : trouble_(std::move(trouble)) {}
  std::unique_ptr<ArmProcess> start(const RunSpec& run, SessionKind kind) override {
    started.push_back(run.run_id);
    if (kind == SessionKind::training) trained.insert(run.run_id);
    seeds[run.run_id] = run.config.seed;
    return std::make_unique<FakeArm>(run, kind, trouble_, steps);
  }

  std::vector<std::string> started;
  std::set<std::string> trained;
  std::map<std::string, std::uint64_t> seeds;
  std::int64_t steps = 1'000'000;

 private:
  Trouble trouble_;
};

std::string same_hash(const train::TrainConfig&) { return "hash"; }

std::string id(const std::string& arm, int session) {
  return "cnn-b32-inative-cl-s0-" + arm + "-r" + std::to_string(session);
}

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() {
    grid_.axes = {{"precision", {"fp32", "bf16"}}};
    grid_.repeats = 1;
  }
  ~SessionsTest() override { request_interrupt(false); }

  Measurements run(ArmStarter& starter, SessionsOptions options = {}) {
    options.out = folder_.path();
    if (options.speed.looks == SpeedOptions{}.looks) options.speed.looks = {3};
    return run_sessions(grid_, make_plan(grid_), starter, same_hash, options);
  }

  /// The sessions of which an arm has blocks.
  std::set<std::int64_t> sessions_of(const std::string& arm) const {
    std::set<std::int64_t> sessions;
    for (const BlockRecord& block : read_blocks(folder_.path())) {
      if (block.arm == arm) sessions.insert(block.session);
    }
    return sessions;
  }

  TemporaryFolder folder_;
  Grid grid_;
};

TEST_F(SessionsTest, TrainsTheRepeatsToTheirEndAndMeasuresTheRest) {
  FakeStarter starter;
  const Measurements measured = run(starter);
  EXPECT_EQ(starter.started.size(), 9U) << "three processes in each of three sessions";
  EXPECT_THAT(starter.trained, UnorderedElementsAre(id("fp32", 1), id("bf16", 1), id("null", 1)));
  EXPECT_EQ(measured.runs.size(), 9U);
  EXPECT_EQ(read_runs(folder_.path()).size(), 9U);
  EXPECT_EQ(read_predictions(folder_.path(), id("bf16", 1)).size(), 1U);
  for (const RunRecord& run : measured.runs) {
    EXPECT_EQ(run.configuration, "cnn-b32-inative-cl-s0");
    EXPECT_EQ(run.arm_kind, run.arm == "fp32"   ? ArmKind::baseline
                            : run.arm == "null" ? ArmKind::null
                                                : ArmKind::arm);
  }
  EXPECT_EQ(starter.seeds.at(id("fp32", 2)), 1U);
  EXPECT_EQ(starter.seeds.at(id("bf16", 2)), 1U);
  EXPECT_NE(starter.seeds.at(id("null", 1)), 0U);
}

TEST_F(SessionsTest, KeepsARowOfEachSessionThatLeftBlocks) {
  FakeStarter starter;
  const Measurements measured = run(starter);
  const std::vector<SessionRecord> rows = read_sessions(folder_.path());
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(measured.sessions.size(), 3U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].configuration, "cnn-b32-inative-cl-s0");
    EXPECT_EQ(rows[i].session, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(rows[i].kind, i == 0 ? SessionKind::training : SessionKind::speed_only);
    EXPECT_TRUE(rows[i].together);
    EXPECT_EQ(rows[i].processes, 3);
    EXPECT_EQ(rows[i].rounds, 8);
    EXPECT_THAT(rows[i].started_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));
    EXPECT_GE(rows[i].seconds, rows[i].start_s + rows[i].blocks_s);
    EXPECT_EQ(rows[i].other_cpu_fraction, std::nullopt) << "made-up processes have no numbers";
  }
  FakeStarter again;
  EXPECT_EQ(run(again).sessions.size(), 3U) << "as they were read";
}

TEST_F(SessionsTest, ASessionThatIsRunAgainHasOneRow) {
  bool died = false;
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.run_id == id("bf16", 2) && moment == Moment::block && !std::exchange(died, true)) {
      end(run, RunStatus::failed);
    }
  });
  run(starter, {.together = Together::no});
  std::multiset<std::int64_t> sessions;
  for (const SessionRecord& row : read_sessions(folder_.path())) {
    sessions.insert(row.session);
    EXPECT_FALSE(row.together);
  }
  EXPECT_THAT(sessions, ElementsAre(1, 2, 3));
}

TEST_F(SessionsTest, EveryProcessHasTwoTurnsARoundInMirroredOrder) {
  FakeStarter starter;
  run(starter, {.speed_only = true});
  std::map<std::pair<std::int64_t, std::int64_t>, std::map<std::int64_t, std::string>> rounds;
  std::set<std::string> first;
  for (const BlockRecord& block : read_blocks(folder_.path())) {
    rounds[{block.session, block.round}][block.place] = block.arm;
    if (block.place == 0) first.insert(block.arm);
    EXPECT_GT(block.steps, 0);
    EXPECT_EQ(block.images, 8 * block.steps);
  }
  EXPECT_EQ(rounds.size(), 3U * 9) << "a turn of warm-up each, and eight rounds that count";
  for (const auto& [round, turns] : rounds) {
    if (round.second == 0) {
      EXPECT_EQ(turns.size(), 3U);
      continue;
    }
    ASSERT_EQ(turns.size(), 6U);
    for (std::int64_t place = 0; place < 3; ++place) {
      EXPECT_EQ(turns.at(place), turns.at(5 - place));
    }
    EXPECT_EQ((std::set<std::string>{turns.at(0), turns.at(1), turns.at(2)}).size(), 3U);
  }
  EXPECT_EQ(first.size(), 3U) << "none is always first";
}

TEST_F(SessionsTest, BlocksAreOfOneLengthForAllButASlowArm) {
  FakeStarter starter;
  run(starter, {.speed_only = true});
  for (const BlockRecord& block : read_blocks(folder_.path())) {
    if (block.round == 0) continue;
    EXPECT_NEAR(static_cast<double>(block.steps), 1000, 5) << "a second of the baseline";
  }
}

TEST_F(SessionsTest, AShortTrainingHasShortBlocks) {
  FakeStarter starter;
  starter.steps = 40;
  run(starter, {.speed = {.looks = {2}}});
  std::map<std::string, std::int64_t> steps;
  for (const BlockRecord& block : read_blocks(folder_.path())) {
    if (block.session == 1) steps[block.arm] += block.steps;
  }
  ASSERT_EQ(steps.size(), 3U);
  for (const auto& [arm, sum] : steps) EXPECT_LE(sum, 40);
  EXPECT_GE(steps.at("fp32"), 18);
}

TEST_F(SessionsTest, WhatIsFinishedIsNotDoneAgain) {
  int blocks = 0;
  FakeStarter first([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.repeat == 2 && moment == Moment::block && ++blocks == 10) request_interrupt();
  });
  EXPECT_EQ(run(first).runs.size(), 3U) << "those of the first session";
  request_interrupt(false);
  EXPECT_THAT(sessions_of("bf16"), ElementsAre(1));
  const auto kept = read_blocks(folder_.path());

  FakeStarter second;
  EXPECT_EQ(run(second).runs.size(), 9U);
  EXPECT_EQ(second.started.size(), 6U) << "sessions 2 and 3";
  EXPECT_THAT(second.trained, IsEmpty());
  const auto all = read_blocks(folder_.path());
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(all[i].time_s, kept[i].time_s);

  FakeStarter third;
  run(third);
  EXPECT_THAT(third.started, IsEmpty());
}

TEST_F(SessionsTest, AnArmThatDiesIsTriedOnceMoreAndTheOthersGoOn) {
  bool died = false;
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.run_id == id("bf16", 2) && moment == Moment::block && !std::exchange(died, true)) {
      end(run, RunStatus::failed);
    }
  });
  const Measurements measured = run(starter);
  EXPECT_THAT(sessions_of("bf16"), ElementsAre(1, 2, 3));
  EXPECT_EQ(std::count(starter.started.begin(), starter.started.end(), id("fp32", 2)), 2);
  EXPECT_EQ(std::count(starter.started.begin(), starter.started.end(), id("fp32", 3)), 1);
  for (const RunRecord& run : measured.runs) EXPECT_EQ(run.status, RunStatus::ok) << run.run_id;
}

TEST_F(SessionsTest, ATrainingIsKeptWhereItsSessionIsRunAgain) {
  bool died = false;
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.run_id == id("null", 1) && moment == Moment::finish && !std::exchange(died, true)) {
      end(run, RunStatus::failed);
    }
  });
  run(starter);
  EXPECT_EQ(read_predictions(folder_.path(), id("fp32", 1)).size(), 1U);
  for (const RunOutput& output : read_runs(folder_.path())) {
    const bool trained = output.run.repeat != 1 || output.run.val_loss.has_value();
    EXPECT_TRUE(trained) << output.run.run_id;
  }
}

TEST_F(SessionsTest, AnArmThatDiesTwiceIsLeftOut) {
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.config.precision == Precision::bf16 && moment == Moment::start) {
      end(run, RunStatus::failed);
    }
  });
  const Measurements measured = run(starter);
  EXPECT_THAT(sessions_of("bf16"), IsEmpty());
  EXPECT_THAT(sessions_of("fp32"), ElementsAre(1, 2, 3));
  EXPECT_EQ(std::count(starter.started.begin(), starter.started.end(), id("bf16", 1)), 1);
  EXPECT_EQ(std::count(starter.started.begin(), starter.started.end(), id("bf16", 3)), 0);
  EXPECT_EQ(measured.runs.size(), 8U);
}

TEST_F(SessionsTest, WithoutTheBaselineThereIsNothingToCompare) {
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    const bool is_baseline = run.run_id.find("-fp32-") != std::string::npos;
    if (is_baseline && moment == Moment::start) end(run, RunStatus::failed);
  });
  const Measurements measured = run(starter);
  EXPECT_THAT(measured.blocks, IsEmpty());
  EXPECT_LE(starter.started.size(), 6U);
}

TEST_F(SessionsTest, ADivergedTrainingIsAResult) {
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (run.config.precision == Precision::bf16 && moment == Moment::block) {
      end(run, RunStatus::diverged);
    }
  });
  grid_.repeats = 2;
  run(starter, {.speed = {.looks = {2}}});
  FakeStarter again;
  run(again, {.speed = {.looks = {2}}});
  EXPECT_THAT(again.started, IsEmpty()) << "it would diverge once more";
}

TEST_F(SessionsTest, ProcessesThatDoNotFitIntoMemoryTakeTurns) {
  int alive = 0;
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (moment == Moment::start && ++alive > 2) {
      alive = 0;
      end(run, RunStatus::oom);
    }
    if (moment == Moment::finish) alive = 0;
  });
  const Measurements measured = run(starter, {.speed_only = true});
  EXPECT_THAT(sessions_of("bf16"), ElementsAre(1, 2, 3));
  EXPECT_THAT(sessions_of("null"), ElementsAre(1, 2, 3));
  for (const RunRecord& run : measured.runs) EXPECT_EQ(run.status, RunStatus::ok);
}

TEST_F(SessionsTest, WhereMemoryRunsOutTheOthersDoNotTrainToTheirEnd) {
  int kills = 0;
  int finished = 0;
  FakeStarter starter([&](const RunSpec& run, SessionKind, Moment moment) {
    if (moment == Moment::finish) ++finished;
    const bool is_arm = run.config.precision == Precision::bf16;
    if (is_arm && moment == Moment::start && ++kills == 1) end(run, RunStatus::oom);
  });
  const Measurements measured = run(starter, {.speed = {.looks = {2}}});
  EXPECT_EQ(finished, 6) << "those of two sessions, and none of the one that was begun again";
  EXPECT_EQ(measured.runs.size(), 6U);
  for (const SessionRecord& session : measured.sessions) {
    EXPECT_TRUE(session.together) << "once is no proof of too little memory";
  }
}

TEST_F(SessionsTest, BeginsNoSessionThatWouldEndLate) {
  FakeStarter starter;
  run(starter, {.speed_only = true, .max_time_s = 1e-9});
  EXPECT_THAT(sessions_of("fp32"), ElementsAre(1, 2)) << "two are needed for an interval";
  FakeStarter trainings;
  grid_.repeats = 3;
  run(trainings, {.trainings_end = true, .max_time_s = 1e-9});
  EXPECT_THAT(sessions_of("fp32"), ElementsAre(1, 2, 3)) << "trainings are done in any case";
}

TEST_F(SessionsTest, EndsAtTheLookThatIsClear) {
  FakeStarter starter;
  run(starter, {.speed_only = true, .speed = {.looks = {2, 4, 6}}});
  EXPECT_THAT(sessions_of("fp32"), ElementsAre(1, 2)) << "bf16 is twice as fast in each";
}

TEST_F(SessionsTest, GoesOnWhereNothingIsClear) {
  FakeStarter starter;
  grid_.axes = {{"precision", {"fp32", "fp16"}}};
  run(starter, {.speed_only = true, .speed = {.looks = {2, 4, 6}}});
  EXPECT_THAT(sessions_of("fp16"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(SessionsTest, RefusesToPoolResultsOfOtherOptions) {
  FakeStarter starter;
  run(starter);
  const auto plan = make_plan(grid_);
  const auto other_hash = [](const train::TrainConfig&) { return std::string("other"); };
  EXPECT_NO_THROW(require_same_options(folder_.path(), grid_, plan, same_hash, ""));
  EXPECT_THAT([&] { require_same_options(folder_.path(), grid_, plan, other_hash, ""); },
              ThrowsWith<UsageError>(id("fp32", 1)));
}

}  // namespace
}  // namespace mpbench::bench

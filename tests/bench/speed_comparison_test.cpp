#include "../../src/bench/speed_comparison.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "mpbench/core/error.hpp"

namespace mpbench::bench {
namespace {

using stats::SpeedVerdict;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Blocks of one configuration, made up.
class Blocks {
 public:
  /// Both halves of a round of an arm: seconds an image.
  void add(const std::string& arm, std::int64_t session, std::int64_t round, double image_s,
           std::int64_t skipped = 0) {
    const ArmKind kind = arm == "fp32"   ? ArmKind::baseline
                         : arm == "null" ? ArmKind::null
                                         : ArmKind::arm;
    for (const double half : {0.9, 1.1}) {
      rows.push_back({.configuration = "c",
                      .arm = arm,
                      .arm_kind = kind,
                      .compared_with = kind == ArmKind::baseline ? "" : compared_with,
                      .session = session,
                      .round = round,
                      .steps = 10,
                      .images = 40,
                      .skipped_steps = skipped,
                      .time_s = half * 40 * image_s,
                      .data_wait_s = half * 40 * image_s / 4});
    }
  }
  /// Three rounds of sessions whose speeds, the baseline's being 1, are these.
  void add_sessions(const std::string& arm, const std::vector<double>& speeds) {
    for (std::size_t i = 0; i < speeds.size(); ++i) {
      for (std::int64_t round = 0; round <= 3; ++round) {
        add(arm, static_cast<std::int64_t>(i) + 1, round, 1 / speeds[i]);
      }
    }
  }

  std::vector<BlockRecord> rows;
  std::string compared_with = "fp32";
};

const std::vector<double> even{1, 1, 1, 1, 1, 1};

TEST(SessionValuesTest, AreLogsOfTheSpeedOverTheMeanOfBothBaselines) {
  Blocks blocks;
  blocks.add_sessions("fp32", {1, 1});
  blocks.add_sessions("bf16", {2, 3});
  blocks.add_sessions("null", {1, 1.21});
  const auto values = session_values(blocks.rows);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0].arm, "bf16");
  EXPECT_THAT(values[0].sessions, ElementsAre(1, 2));
  EXPECT_EQ(values[0].rounds, 6) << "round 0 does not count";
  EXPECT_NEAR(values[0].values[0], std::log(2), 1e-12);
  EXPECT_NEAR(values[0].values[1], std::log(3 / 1.1), 1e-12);
  EXPECT_NEAR(values[0].compute_values[1], std::log(3 / 1.1), 1e-12) << "a quarter waits in all";
  EXPECT_EQ(values[1].kind, ArmKind::null);
  EXPECT_NEAR(values[1].values[1], std::log(1.21), 1e-12) << "against the baseline alone";
}

TEST(SessionValuesTest, ASessionThatALackingProcessSpoiltDoesNotCount) {
  Blocks blocks;
  blocks.add_sessions("fp32", {1, 1, 1});
  blocks.add_sessions("bf16", {2, 2});
  blocks.add_sessions("null", {1});
  const auto values = session_values(blocks.rows);
  EXPECT_THAT(values[0].sessions, ElementsAre(1)) << "the second has no null arm";
  EXPECT_THAT(values[1].sessions, ElementsAre(1));
}

TEST(SessionValuesTest, StepsThatWereSkippedAreNoWork) {
  Blocks blocks;
  blocks.add("fp32", 1, 1, 1);
  blocks.add("fp32", 1, 2, 1);
  blocks.add("null", 1, 1, 1);
  blocks.add("null", 1, 2, 1);
  blocks.add("fp16", 1, 1, 0.5, /*skipped=*/5);
  blocks.add("fp16", 1, 2, 0.1, /*skipped=*/10);
  const auto values = session_values(blocks.rows);
  ASSERT_EQ(values[1].arm, "fp16");
  ASSERT_EQ(values[1].values.size(), 1U);
  EXPECT_NEAR(values[1].values[0], 0, 1e-12) << "twice as fast, and half of it for nothing";
  EXPECT_EQ(values[1].rounds, 1);
  EXPECT_EQ(values[1].skipped_rounds, 1);
}

TEST(SessionValuesTest, ALadderEndsWithItsLastRungAgainstTheBaseline) {
  Blocks blocks;
  blocks.add_sessions("fp32", {1, 1});
  blocks.add_sessions("nhwc", {1.5, 1.5});
  blocks.compared_with = "nhwc";
  blocks.add_sessions("bf16", {3, 3});
  blocks.compared_with = "fp32";
  blocks.add_sessions("null", {1, 1});
  const auto values = session_values(blocks.rows);
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[1].compared_with, "nhwc");
  EXPECT_NEAR(values[1].values[0], std::log(2), 1e-12);
  EXPECT_EQ(values[3].arm, "bf16");
  EXPECT_EQ(values[3].compared_with, "fp32");
  EXPECT_NEAR(values[3].values[0], std::log(3), 1e-12);
}

TEST(SessionSpeedsTest, AreLogsOfUsefulImagesASecond) {
  Blocks blocks;
  blocks.add_sessions("fp32", {100, 110});
  blocks.add_sessions("bf16", {200});
  const auto speeds = session_speeds(blocks.rows);
  ASSERT_EQ(speeds.size(), 2U);
  EXPECT_EQ(speeds[0].arm, "fp32");
  EXPECT_EQ(speeds[0].kind, ArmKind::baseline);
  ASSERT_EQ(speeds[0].values.size(), 2U);
  EXPECT_NEAR(speeds[0].values[0], std::log(100), 1e-12);
  EXPECT_NEAR(speeds[0].values[1], std::log(110), 1e-12);
  EXPECT_EQ(speeds[0].rounds, 6) << "round 0 does not count";
  EXPECT_EQ(speeds[1].values.size(), 1U) << "it has its sessions, whatever the others have";
  EXPECT_THAT(session_speeds({}), IsEmpty());
}

TEST(SessionSpeedsTest, StandABurstOfTwoRoundsInEight) {
  Blocks blocks;
  for (std::int64_t round = 1; round <= 8; ++round) {
    blocks.add("fp32", 1, round, round <= 2 ? 1.0 : 0.01);
  }
  EXPECT_NEAR(session_speeds(blocks.rows).front().values.front(), std::log(100), 1e-12);
}

TEST(SessionSpeedsTest, StepsThatWereSkippedAreNoWork) {
  Blocks blocks;
  blocks.add("fp16", 1, 1, 0.01, /*skipped=*/5);
  blocks.add("fp16", 1, 2, 0.01, /*skipped=*/10);
  blocks.add("fp16", 2, 1, 0.01, /*skipped=*/10);
  const auto speeds = session_speeds(blocks.rows);
  ASSERT_EQ(speeds.front().values.size(), 1U) << "the second session has no useful step";
  EXPECT_NEAR(speeds.front().values.front(), std::log(50), 1e-12);
  EXPECT_EQ(speeds.front().rounds, 1);
}

std::vector<SpeedComparison> compared(const std::vector<double>& bf16,
                                      const std::vector<double>& null,
                                      const SpeedOptions& options = {}) {
  Blocks blocks;
  blocks.add_sessions("fp32", std::vector<double>(bf16.size(), 1));
  blocks.add_sessions("bf16", bf16);
  blocks.add_sessions("null", null);
  return compare_speed(session_values(blocks.rows), options);
}

TEST(SpeedComparisonTest, SaysHowSureItIs) {
  const std::vector<double> null{1.001, 0.999, 1.002, 0.998, 1.001, 0.999};
  const SpeedComparison arm = compared({1.5, 1.51, 1.49, 1.5, 1.52, 1.48}, null).front();
  EXPECT_EQ(arm.verdict, SpeedVerdict::faster);
  EXPECT_NEAR(*arm.mean, std::log(1.5), 1e-3);
  EXPECT_NEAR(arm.interval->level, 0.0221, 1e-4) << "one of three looks";
  EXPECT_NEAR(*arm.process_sd, 0.00158 / std::sqrt(2), 1e-4);
  EXPECT_GT(*arm.detectable_effect, 0);
  EXPECT_EQ(compared({0.8, 0.81, 0.79, 0.8, 0.8, 0.8}, null).front().verdict, SpeedVerdict::slower);
  EXPECT_EQ(compared({1.001, 0.999, 1, 1.002, 0.998, 1}, null).front().verdict,
            SpeedVerdict::equivalent);
  EXPECT_EQ(compared({1.2, 0.9, 1, 1.1, 0.8, 1}, null).front().verdict, SpeedVerdict::unresolved);
}

TEST(SpeedComparisonTest, FasterByLittleIsSaidToBeLittle) {
  const auto arm = compared({1.011, 1.009, 1.01, 1.0105, 1.0095, 1.01}, even).front();
  EXPECT_EQ(arm.verdict, SpeedVerdict::faster);
  EXPECT_THAT(arm.notes, Contains("faster by less than 2 %"));
}

TEST(SpeedComparisonTest, NoVerdictWhereTwoCopiesOfTheBaselineDiffer) {
  const auto arm =
      compared({1.5, 1.51, 1.49, 1.5, 1.52, 1.48}, {1.1, 1.11, 1.09, 1.1, 1.12, 1.08}).front();
  EXPECT_EQ(arm.verdict, std::nullopt);
  EXPECT_TRUE(arm.interval);
  EXPECT_THAT(arm.notes, Contains(HasSubstr("two copies of the baseline differ")));
}

TEST(SpeedComparisonTest, OneSessionIsNoEvidence) {
  const auto arm = compared({1.5}, {1}).front();
  EXPECT_EQ(arm.verdict, std::nullopt);
  EXPECT_FALSE(arm.interval);
  EXPECT_TRUE(arm.mean);
  EXPECT_THAT(arm.notes, Contains(HasSubstr("one session")));
}

/// Two arms, the second of which is just told apart at 0.0221 and not at half of that.
std::vector<SpeedComparison> two_arms(const SpeedOptions& options) {
  Blocks blocks;
  blocks.add_sessions("fp32", even);
  blocks.add_sessions("bf16", {1.001, 0.999, 1.3, 0.8, 1.05, 0.95});
  blocks.add_sessions("fp16", {1.03, 1.012, 1.031, 1.004, 1.02, 1.004});
  blocks.add_sessions("null", even);
  return compare_speed(session_values(blocks.rows), options);
}

TEST(SpeedComparisonTest, SeveralArmsShareTheLevel) {
  const auto arms = two_arms({});
  EXPECT_NEAR(arms[1].interval->level, 0.0221 / 2, 1e-4);
  EXPECT_EQ(arms[1].verdict, SpeedVerdict::unresolved);
}

TEST(SpeedComparisonTest, ThePrimaryArmHasTheLevelToItself) {
  SpeedOptions options;
  options.primary = "fp16";
  auto arms = two_arms(options);
  EXPECT_NEAR(arms[1].interval->level, 0.0221, 1e-4);
  EXPECT_EQ(arms[1].verdict, SpeedVerdict::faster);
  EXPECT_EQ(arms[0].verdict, SpeedVerdict::unresolved);
  options.primary = "bf16";
  arms = two_arms(options);
  EXPECT_EQ(arms[1].verdict, SpeedVerdict::unresolved);
  EXPECT_THAT(arms[1].notes, Contains(HasSubstr("not tested, as no difference of bf16")));
}

TEST(SpeedComparisonTest, RefusesOptionsOutOfRange) {
  const auto refused = [](auto change) {
    SpeedOptions options;
    change(options);
    EXPECT_THROW(validate(options), UsageError);
  };
  refused([](SpeedOptions& options) { options.confidence = 1; });
  refused([](SpeedOptions& options) { options.equivalence = 0; });
  refused([](SpeedOptions& options) { options.equivalence = std::nan(""); });
  refused([](SpeedOptions& options) { options.target = -0.1; });
  refused([](SpeedOptions& options) { options.looks = {1}; });
}

TEST(SpeedComparisonTest, NothingMeasuredIsNothingCompared) {
  EXPECT_THAT(session_values({}), IsEmpty());
  EXPECT_THAT(compare_speed({}, {}), IsEmpty());
}

}  // namespace
}  // namespace mpbench::bench

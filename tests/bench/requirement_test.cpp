#include "mpbench/bench/requirement.hpp"

#include <gmock/gmock.h>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::bench {
namespace {

using testing::HasSubstr;

class RequirementTest : public testing::Test {
 protected:
  RequirementTest() {
    bf16_.configuration = "c";
    bf16_.arm = "bf16";
    bf16_.arm_kind = ArmKind::arm;
    bf16_.speedup = 1.25;
    bf16_.speedup_ci_low = 1.19;
    bf16_.speedup_ci_high = 1.31;
    bf16_.speed_verdict = stats::SpeedVerdict::faster;
    bf16_.accuracy_verdict = stats::AccuracyVerdict::equivalent;
    bf16_.skipped_fraction = 0.02;
  }

  std::vector<RequirementResult> check(const std::string& text) {
    return check_requirement(parse_requirement(text), std::vector{bf16_}, runs_);
  }

  /// Whether the one condition holds.
  bool holds(const std::string& text) {
    const auto results = check(text);
    EXPECT_EQ(results.size(), 1U) << text;
    EXPECT_NE(results.front().result.found, "");
    return results.front().result.holds;
  }

  Comparison bf16_;
  std::vector<RunRecord> runs_;
};

TEST_F(RequirementTest, ComparesAFigureWithANumber) {
  EXPECT_TRUE(holds("bf16: speedup >= 1.25"));
  EXPECT_FALSE(holds("bf16: speedup > 1.25"));
  EXPECT_TRUE(holds("bf16: speedup <= 1.25"));
  EXPECT_FALSE(holds("bf16: speedup < 1.25"));
  EXPECT_FALSE(holds("speedup_ci_low>=1.2"));
  EXPECT_TRUE(holds("  bf16 :  skipped_fraction  <=  2 % "));
  EXPECT_FALSE(holds("bf16: skipped_fraction < 2%"));
}

TEST_F(RequirementTest, SaysWhatWasFoundWithItsInterval) {
  EXPECT_EQ(check("speedup >= 2").front().result.found, "speedup is 1.25 [1.19, 1.31]");
  EXPECT_EQ(check("memory_ratio < 1").front().result.found, "memory_ratio was not measured");
  EXPECT_FALSE(holds("memory_ratio < 1"));
  EXPECT_FALSE(holds("memory_ratio >= 0")) << "what was not measured meets nothing";
}

TEST_F(RequirementTest, TakesVerdicts) {
  EXPECT_TRUE(holds("bf16: faster"));
  EXPECT_FALSE(holds("bf16: slower"));
  EXPECT_TRUE(holds("bf16: not slower"));
  EXPECT_FALSE(holds("bf16: not faster"));
  EXPECT_TRUE(holds("bf16: non-inferior")) << "what is equivalent is no worse";
  EXPECT_FALSE(holds("not non-inferior"));
  EXPECT_TRUE(holds("accuracy equivalent"));
  EXPECT_FALSE(holds("speed equivalent"));
  EXPECT_TRUE(holds("not speed equivalent"));
  bf16_.speed_verdict.reset();
  bf16_.note = "one session";
  EXPECT_FALSE(holds("faster"));
  EXPECT_FALSE(holds("not slower")) << "without a verdict nothing is known";
  EXPECT_EQ(check("not slower").front().result.found, "there is no verdict on speed: one session");
}

TEST_F(RequirementTest, NoSlowerIsAboutTheWholeInterval) {
  bf16_.speedup_ci_low = 0.975;
  EXPECT_TRUE(holds("no slower than 3 %"));
  EXPECT_FALSE(holds("no slower than 2 %"));
  bf16_.speedup_ci_low.reset();
  EXPECT_FALSE(holds("no slower than 3 %"));
}

TEST_F(RequirementTest, EveryRunHasToComeThrough) {
  EXPECT_FALSE(holds("status ok")) << "there is none";
  runs_.resize(3);
  runs_[0].configuration = runs_[1].configuration = "c";
  runs_[0].arm = runs_[1].arm = "bf16";
  runs_[0].status = runs_[1].status = RunStatus::ok;
  runs_[2].arm = "fp16";
  runs_[2].status = RunStatus::oom;
  EXPECT_TRUE(holds("bf16: status ok"));
  runs_[1].status = RunStatus::diverged;
  runs_[1].run_id = "r2";
  runs_[1].error = "nan";
  EXPECT_EQ(check("bf16: status ok").front().result.found, "r2 is diverged: nan");
}

TEST_F(RequirementTest, EachConditionIsJudgedInEachConfiguration) {
  Comparison other = bf16_;
  other.configuration = "d";
  other.speed_verdict = stats::SpeedVerdict::slower;
  Comparison null = bf16_;
  null.arm = "null";
  null.arm_kind = ArmKind::null;
  const auto results = check_requirement(parse_requirement("faster, speedup >= 1"),
                                         std::vector{bf16_, other, null}, {});
  ASSERT_EQ(results.size(), 4U) << "the null arm is none of those that have to";
  EXPECT_TRUE(results[0].result.holds);
  EXPECT_EQ(results[2].configuration, "d");
  EXPECT_FALSE(results[2].result.holds);
}

TEST_F(RequirementTest, AccuracyIsThatOverAllFolds) {
  Comparison all;
  all.configuration = "c-folds";
  all.arm = "bf16";
  all.arm_kind = ArmKind::arm;
  all.metric_delta = -0.001;
  all.accuracy_verdict = stats::AccuracyVerdict::non_inferior;
  bf16_.pairs = 3;
  bf16_.sessions = 6;
  bf16_.accuracy_verdict = stats::AccuracyVerdict::inconclusive;
  const auto results =
      check_requirement(parse_requirement("bf16: faster, non-inferior, metric_delta > -1 %"),
                        std::vector{bf16_, all}, {});
  ASSERT_EQ(results.size(), 3U);
  for (const RequirementResult& each : results) EXPECT_TRUE(each.result.holds) << each.condition;
  EXPECT_EQ(results[0].configuration, "c");
  EXPECT_EQ(results[1].configuration, "c-folds");
}

TEST_F(RequirementTest, AnArmsNameMayHaveAColon) {
  EXPECT_EQ(parse_requirement("device=cuda:0: faster").arm, "device=cuda:0");
}

TEST_F(RequirementTest, WhatWasNeverMeasuredMeetsNothing) {
  const auto results = check("fp16: faster");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_FALSE(results.front().result.holds);
  EXPECT_EQ(results.front().arm, "fp16");
}

TEST_F(RequirementTest, SeveralAreCheckedInTheirOrder) {
  const std::vector<std::string> texts{"bf16: faster, not slower", "speedup >= 2"};
  const auto results = check_requirements(texts, std::vector{bf16_}, runs_);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[1].condition, "not slower");
  EXPECT_FALSE(results[2].result.holds);
  EXPECT_THROW(check_requirements(std::vector<std::string>{"fast"}, {}, {}), UsageError);
}

TEST_F(RequirementTest, WithoutOneEachArmHasAnOutcome) {
  const auto run_of = [](const char* arm) {
    RunRecord run;
    run.configuration = "c";
    run.arm = arm;
    run.run_id = std::string(arm) + "-r1";
    run.status = RunStatus::ok;
    return run;
  };
  runs_ = {run_of("fp32"), run_of("bf16"), run_of("null")};
  runs_[0].status = RunStatus::oom;
  runs_[0].error = "too large";
  bf16_.compared_with = "fp32";
  bf16_.sessions = 6;
  bf16_.metric_delta = -0.004;
  Comparison null = bf16_;
  null.arm = "null";
  null.arm_kind = ArmKind::null;
  const auto outcomes = arm_outcomes(std::vector{bf16_, null}, runs_);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0].arm, "fp32");
  EXPECT_FALSE(outcomes[0].result.holds);
  EXPECT_EQ(outcomes[0].result.found, "fp32-r1 is oom: too large");
  EXPECT_EQ(outcomes[1].arm, "bf16");
  EXPECT_TRUE(outcomes[1].result.holds);
  EXPECT_EQ(outcomes[1].result.found,
            "1 runs are ok; speed is faster, speedup is 1.25 [1.19, 1.31]; accuracy is equivalent, "
            "metric_delta is -0.004");
  EXPECT_EQ(requirement_line(outcomes[0]), "fp32: status ok: fp32-r1 is oom: too large (c)");
}

TEST_F(RequirementTest, AllFoldsAreAnOutcomeOfTheirOwn) {
  Comparison all;
  all.configuration = "c-folds";
  all.arm = "bf16";
  all.arm_kind = ArmKind::arm;
  all.compared_with = "fp32";
  all.metric_delta = -0.001;
  all.accuracy_verdict = stats::AccuracyVerdict::non_inferior;
  const auto outcomes = arm_outcomes(std::vector{all}, runs_);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_TRUE(outcomes[0].result.holds);
  EXPECT_EQ(outcomes[0].result.found,
            "over all folds; accuracy is non-inferior, metric_delta is -0.001");
}

TEST_F(RequirementTest, IsToldInOneLine) {
  bf16_.compared_with = "fp32";
  EXPECT_EQ(requirement_line(check("bf16: speedup >= 1.2").front()),
            "bf16: speedup >= 1.2: speedup is 1.25 [1.19, 1.31] (c, beside fp32)");
  EXPECT_EQ(requirement_line(check("fp16: faster").front()),
            "fp16: faster: it was not measured (no configuration)");
}

TEST_F(RequirementTest, NamesWhatItDoesNotUnderstand) {
  const auto refused = [](const std::string& text, const char* problem) {
    EXPECT_THAT([&] { parse_requirement(text); }, ThrowsWith<UsageError>("--require", problem))
        << text;
  };
  refused("", "there is none");
  refused("bf16:", "there is none");
  refused("bf16: faster,", "there is none");
  refused(": faster", "arm's name");
  refused("bf16: quick", "'quick': it is no condition");
  refused("bf16: images >= 3", "there is no figure 'images': choose one of speedup");
  refused("bf16: speedup >= fast", "a number or a percentage");
  refused("bf16: speedup >= nan", "a number or a percentage");
  refused("bf16: speedup >= 1e999", "a number or a percentage");
  refused("bf16: equivalent", "'speed equivalent' or 'accuracy equivalent'");
  refused("bf16: accuracy faster", "it is no condition");
  refused("no slower than", "a percentage");
  refused("no slower than -3 %", "a percentage");
  refused("no slower than 3", "a percentage");
}

}  // namespace
}  // namespace mpbench::bench

#include "mpbench/explain/explain.hpp"

#include <gmock/gmock.h>

#include "../../src/explain/causes.hpp"
#include "../../src/explain/floors.hpp"

namespace mpbench::explain {
namespace {

using profile::OperatorKind;
using profile::OperatorRecord;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

OperatorRecord row(OperatorKind kind, double ms, const std::string& dtype = "float32",
                   std::optional<double> gflop = {}, std::optional<double> mbytes = {}) {
  return {.kind = kind,
          .name = std::string("aten::") + std::string(enum_name(kind)),
          .shapes = "[1]",
          .dtype = dtype,
          .calls = 1,
          .ms = ms,
          .gflop = gflop,
          .mbytes = mbytes};
}

/// An arm whose step takes what its operators take together.
MeasuredArm arm(const std::string& precision, std::vector<OperatorRecord> operators) {
  MeasuredArm result{.name = precision};
  result.run.precision = precision;
  result.run.device = "cpu";
  result.run.threads = 2;
  result.run.batch_size = 32;
  result.run.channels_last = true;
  for (const OperatorRecord& each : operators) result.step_ms += each.ms;
  for (OperatorRecord& each : operators) each.profiled_step_ms = result.step_ms;
  result.profile.operators = std::move(operators);
  return result;
}

MeasuredMachine machine() {
  return {
      .rates = {.matrix = {{Precision::fp32, 100}, {Precision::bf16, 200}}, .copy_gb_per_s = 10},
      .processors = 2};
}

std::vector<OperatorRecord> healthy(double ms, const std::string& dtype) {
  return {row(OperatorKind::convolution_forward, 0.3 * ms, dtype, 1),
          row(OperatorKind::convolution_data_gradient, 0.25 * ms, dtype, 1),
          row(OperatorKind::convolution_weight_gradient, 0.25 * ms, dtype, 1),
          row(OperatorKind::norm_activation, 0.15 * ms, dtype, {}, 20),
          row(OperatorKind::optimizer, 0.02 * ms),
          row(OperatorKind::host, 0.03 * ms, "")};
}

std::vector<CauseKind> causes_of(const std::vector<MeasuredArm>& arms,
                                 const MeasuredMachine& on = machine()) {
  std::vector<CauseKind> kinds;
  for (const Cause& cause : explain(arms, on).causes) kinds.push_back(cause.kind);
  return kinds;
}

TEST(ExplainTest, TheKindsAddUpToTheStepWithoutTheProfiler) {
  MeasuredArm baseline = arm("fp32", healthy(100, "float32"));
  baseline.step_ms = 90;  // the profiler made it 100
  const Explanation explanation =
      explain({baseline, arm("bf16", healthy(50, "bfloat16"))}, machine());
  ASSERT_EQ(explanation.arms.size(), 2U);
  for (const ExplainedArm& each : explanation.arms) {
    double sum = 0;
    double shares = 0;
    for (const KindRow& kind : each.kinds) {
      sum += kind.ms;
      shares += kind.share;
    }
    EXPECT_THAT(sum, DoubleNear(each.step_ms, 1e-9));
    EXPECT_THAT(shares, DoubleNear(1, 1e-12));
  }
  EXPECT_EQ(explanation.arms[0].profiled_step_ms, 100);
  EXPECT_THAT(explanation.arms[1].kinds[0].ratio, Optional(DoubleNear(27.0 / 15, 1e-9)));
  EXPECT_FALSE(explanation.arms[0].kinds[0].ratio);
}

TEST(ExplainTest, AHealthyRunHasNoCause) {
  EXPECT_THAT(
      causes_of({arm("fp32", healthy(100, "float32")), arm("bf16", healthy(50, "bfloat16"))}),
      IsEmpty());
}

TEST(ExplainTest, TheCeilingIsAmdahls) {
  const Explanation explanation = explain(
      {arm("fp32", healthy(100, "float32")), arm("bf16", healthy(60, "bfloat16"))}, machine());
  ASSERT_EQ(explanation.ceilings.size(), 1U);
  const Ceiling& ceiling = explanation.ceilings.front();
  EXPECT_THAT(ceiling.matrix_share, DoubleNear(0.8, 1e-12));
  EXPECT_THAT(ceiling.matrix_gain, DoubleNear(2, 1e-12));
  EXPECT_THAT(ceiling.memory_share, DoubleNear(0.15, 1e-12));
  EXPECT_THAT(ceiling.speedup, DoubleNear(1 / (0.05 + 0.8 / 2 + 0.15 / 2), 1e-12));
}

TEST(ExplainTest, AnOperatorHasTheLongerOfTwoFloors) {
  const profile::MachineRates rates = machine().rates;
  // 1 GFLOP takes 10 ms at 100 GFLOP/s, and 200 MB take 20 ms at 10 GB/s.
  const auto both = row(OperatorKind::linear, 50, "float32", 1, 200);
  EXPECT_THAT(floor_ms(both, Precision::fp32, rates), Optional(DoubleNear(20, 1e-12)));
  EXPECT_THAT(floor_ms(row(OperatorKind::linear, 50, "bfloat16", 1), Precision::bf16, rates),
              Optional(DoubleNear(5, 1e-12)));
  EXPECT_FALSE(floor_ms(row(OperatorKind::host, 50), Precision::fp32, rates));
  EXPECT_EQ(computed_in(row(OperatorKind::linear, 1, "float32"), Precision::tf32), Precision::tf32);
  EXPECT_EQ(computed_in(row(OperatorKind::linear, 1, "float32"), Precision::bf16), Precision::fp32);
}

TEST(ExplainTest, WhatLosesAgainstItsRatioIsNamedFirst) {
  const std::vector<OperatorRecord> fp32{row(OperatorKind::convolution_forward, 60, "float32", 6),
                                         row(OperatorKind::linear, 40, "float32", 4)};
  const std::vector<OperatorRecord> bf16{row(OperatorKind::convolution_forward, 32, "bfloat16", 6),
                                         row(OperatorKind::linear, 39, "bfloat16", 4),
                                         row(OperatorKind::cast_copy, 5)};
  const Explanation explanation = explain({arm("fp32", fp32), arm("bf16", bf16)}, machine());
  ASSERT_EQ(explanation.lost.size(), 3U);
  EXPECT_EQ(explanation.lost[0].kind, OperatorKind::linear);
  EXPECT_THAT(explanation.lost[0].expected_ms, DoubleNear(20, 1e-9));
  EXPECT_THAT(explanation.lost[0].lost_ms, DoubleNear(19, 1e-9));
  EXPECT_EQ(explanation.lost[1].kind, OperatorKind::cast_copy);
  EXPECT_THAT(explanation.lost[2].lost_ms, DoubleNear(2, 1e-9));
}

TEST(ExplainTest, WhatAutocastKeepsInFloat32IsNamed) {
  auto bf16 = healthy(50, "bfloat16");
  bf16.push_back(row(OperatorKind::pooling, 3, "float32"));
  const Explanation explanation =
      explain({arm("fp32", healthy(100, "float32")), arm("bf16", bf16)}, machine());
  ASSERT_EQ(explanation.arms[1].kept_in_float32.size(), 1U);
  EXPECT_EQ(explanation.arms[1].kept_in_float32[0].kind, OperatorKind::pooling);
  EXPECT_THAT(explanation.arms[0].kept_in_float32, IsEmpty());
}

TEST(CausesTest, WaitingForData) {
  auto slow = healthy(100, "float32");
  slow.push_back(row(OperatorKind::data_wait, 20, ""));
  const auto causes = explain({arm("fp32", slow)}, machine()).causes;
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, CauseKind::data_wait);
  EXPECT_EQ(causes[0].arm, "fp32");
  EXPECT_THAT(causes[0].evidence, HasSubstr("20 of 120 ms a step (17 %)"));
  EXPECT_THAT(causes[0].remedy, HasSubstr("--workers"));
}

TEST(CausesTest, ADtypeThatIsSlowHere) {
  MeasuredArm mixed = arm("fp16", healthy(100, "float16"));
  mixed.run.fp16_convolution = "emulated in fp32";
  MeasuredMachine on = machine();
  on.rates.matrix.push_back({Precision::fp16, 90});
  const auto causes = explain({arm("fp32", healthy(100, "float32")), mixed}, on).causes;
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, CauseKind::slow_dtype);
  EXPECT_THAT(causes[0].evidence, HasSubstr("0.90x (emulated in fp32)"));
}

TEST(CausesTest, ABaselineInTf32) {
  MeasuredMachine on = machine();
  on.rates.matrix = {{Precision::fp32, 100}, {Precision::tf32, 600}, {Precision::bf16, 900}};
  EXPECT_THAT(
      causes_of({arm("tf32", healthy(100, "float32")), arm("bf16", healthy(50, "bfloat16"))}, on),
      ElementsAre(CauseKind::tf32_baseline));
}

TEST(CausesTest, TheMemoryFormat) {
  MeasuredArm baseline = arm("fp32", healthy(100, "float32"));
  baseline.run.channels_last = false;
  baseline.profile.convolutions = {{.calls = 2,
                                    .forward_ms = 10,
                                    .data_gradient_ms = 10,
                                    .weight_gradient_ms = 10,
                                    .other_format_ms = 20}};
  const auto causes = explain({baseline}, machine()).causes;
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].kind, CauseKind::memory_format);
  EXPECT_EQ(causes[0].remedy, "--channels-last");
}

TEST(CausesTest, ChannelsThatWasteTheUnits) {
  MeasuredArm baseline = arm("fp32", healthy(100, "float32"));
  profile::ConvolutionRecord odd{.calls = 1,
                                 .forward_ms = 20,
                                 .data_gradient_ms = 20,
                                 .weight_gradient_ms = 20,
                                 .other_format_ms = 60,
                                 .channels = "17 to 17",
                                 .padded_channels = "24 to 24",
                                 .padded_ms = 60,
                                 .padded_work = 2};
  baseline.profile.convolutions = {odd};
  EXPECT_THAT(causes_of({baseline}), ElementsAre(CauseKind::channels));
  // Where the padded one takes longer in proportion, nothing is wasted.
  baseline.profile.convolutions.front().padded_ms = 120;
  EXPECT_THAT(causes_of({baseline}), IsEmpty());
}

TEST(CausesTest, CostsThatDoNotGrowWithTheBatch) {
  const std::vector<OperatorRecord> small{row(OperatorKind::convolution_forward, 60, "float32", 1),
                                          row(OperatorKind::optimizer, 15),
                                          row(OperatorKind::host, 25, "")};
  EXPECT_THAT(causes_of({arm("fp32", small)}), ElementsAre(CauseKind::small_batch));
  const std::vector<OperatorRecord> dominated{row(OperatorKind::linear, 60, "float32", 1),
                                              row(OperatorKind::optimizer, 40)};
  EXPECT_THAT(causes_of({arm("fp32", dominated)}),
              ElementsAre(CauseKind::small_batch, CauseKind::optimizer));
}

TEST(CausesTest, AnIdleGpu) {
  auto idle = healthy(100, "float32");
  idle.push_back(row(OperatorKind::host, 25, ""));
  MeasuredArm baseline = arm("fp32", idle);
  baseline.run.device = "cuda:0";
  EXPECT_THAT(causes_of({baseline}), ElementsAre(CauseKind::launch_bound));
}

TEST(CausesTest, TheMachine) {
  MeasuredArm baseline = arm("fp32", healthy(100, "float32"));
  baseline.run.threads = 8;
  MeasuredMachine on = machine();
  on.session.other_cpu_fraction = 0.2;
  on.session.device_throttled = "thermal";
  EXPECT_THAT(causes_of({baseline}, on),
              ElementsAre(CauseKind::oversubscribed, CauseKind::other_load, CauseKind::throttled));
}

TEST(CausesTest, MemoryBoundAndCasts) {
  const std::vector<OperatorRecord> moving{
      row(OperatorKind::depthwise, 60, "bfloat16"),
      row(OperatorKind::convolution_forward, 20, "bfloat16", 1),
      row(OperatorKind::cast_copy, 20, "float32")};
  EXPECT_THAT(causes_of({arm("fp32", healthy(100, "float32")), arm("bf16", moving)}),
              ElementsAre(CauseKind::casts, CauseKind::memory_bound));
}

}  // namespace
}  // namespace mpbench::explain

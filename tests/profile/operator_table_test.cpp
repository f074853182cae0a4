#include "../../src/profile/operator_table.hpp"

#include <gmock/gmock.h>

#include "../../src/profile/gradient_shares.hpp"

namespace mpbench::profile {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Optional;
using testing::SizeIs;

constexpr std::int64_t ms = 1'000'000;

ProfiledEvent product(std::int64_t start_ms, std::int64_t end_ms) {
  return {.name = "aten::mm",
          .start_ns = start_ms * ms,
          .end_ns = end_ms * ms,
          .shapes = {{100, 100}, {100, 100}},
          .dtypes = {"c10::Half", "c10::Half"}};
}

double ms_together(const std::vector<OperatorRecord>& records) {
  double sum = 0;
  for (const OperatorRecord& record : records) sum += record.ms;
  return sum;
}

TEST(OperatorTableTest, RowsAreOfAStepAndAddUpToIt) {
  OperatorTable table;
  // Two steps of 50 ms, with a product of 10 and one of 20 ms.
  table.add({product(0, 10), product(60, 80)}, TimedDevice::cpu, 2, 0.1, 0);
  const std::vector<OperatorRecord> records = table.records();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].kind, OperatorKind::host);
  EXPECT_THAT(records[0].ms, DoubleNear(35, 1e-9));
  EXPECT_EQ(records[1].name, "aten::mm");
  EXPECT_EQ(records[1].shapes, "[100,100] [100,100]");
  EXPECT_EQ(records[1].dtype, "float16");
  EXPECT_EQ(records[1].calls, 1);
  EXPECT_THAT(records[1].ms, DoubleNear(15, 1e-9));
  EXPECT_THAT(records[1].gflop, Optional(DoubleNear(2e-3, 1e-12)));
  EXPECT_THAT(records[1].mbytes, Optional(DoubleNear(0.06, 1e-12)));
  EXPECT_EQ(records[1].profiled_steps, 2);
  EXPECT_THAT(records[1].profiled_step_ms, DoubleNear(50, 1e-9));
  EXPECT_THAT(ms_together(records), DoubleNear(50, 1e-9));
}

TEST(OperatorTableTest, PartsOfATurnAreOneProfile) {
  OperatorTable table;
  table.add({product(0, 10)}, TimedDevice::cpu, 1, 0.02, 0);
  table.add({product(0, 30)}, TimedDevice::cpu, 1, 0.04, 0);
  EXPECT_EQ(table.steps(), 2);
  EXPECT_THAT(table.records()[0].ms, DoubleNear(20, 1e-9));
  EXPECT_THAT(ms_together(table.records()), DoubleNear(30, 1e-9));
}

TEST(OperatorTableTest, OnAGpuTheRestOfAStepIsWaitingForDataOrIdle) {
  OperatorTable table;
  ProfiledEvent call = product(0, 1);
  call.device_ns = 6 * ms;
  table.add({call}, TimedDevice::gpu, 1, 0.010, 0.003);
  const std::vector<OperatorRecord> records = table.records();
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[0].kind, OperatorKind::linear);
  EXPECT_EQ(records[1].kind, OperatorKind::data_wait);
  EXPECT_THAT(records[1].ms, DoubleNear(3, 1e-9));
  EXPECT_EQ(records[2].kind, OperatorKind::host);
  EXPECT_THAT(records[2].ms, DoubleNear(1, 1e-9));
}

OperatorRecord backward(const std::string& shapes, double took_ms) {
  return {.kind = OperatorKind::convolution_backward,
          .name = "aten::convolution_backward",
          .shapes = shapes,
          .dtype = "float32",
          .ms = took_ms,
          .gflop = 4};
}

TEST(GradientSharesTest, SplitsByWhatTheGradientsTakeByThemselves) {
  std::vector<OperatorRecord> operators{backward("[2,16,8,8] [2,8,8,8] [16,8,3,3]", 40),
                                        backward("[2,4,8,8] [2,4,8,8] [4,4,3,3]", 10)};
  share_gradients(operators, {{.shapes = "[2,8,8,8] [16,8,3,3]",
                               .dtype = "float32",
                               .calls = 1,
                               .data_gradient_ms = 3,
                               .weight_gradient_ms = 1}});
  ASSERT_THAT(operators, SizeIs(4));
  std::vector<double> took;
  for (const OperatorRecord& each : operators) took.push_back(each.ms);
  // The second has the mean ratio.
  EXPECT_THAT(took, ElementsAre(30, 10, 7.5, 2.5));
  EXPECT_EQ(operators[0].kind, OperatorKind::convolution_data_gradient);
  EXPECT_EQ(operators[1].kind, OperatorKind::convolution_weight_gradient);
  EXPECT_THAT(operators[0].gflop, Optional(2));
}

TEST(GradientSharesTest, WithoutTimesNothingIsSplit) {
  std::vector<OperatorRecord> operators{backward("[2,16,8,8] [2,8,8,8] [16,8,3,3]", 40)};
  share_gradients(operators, {});
  ASSERT_THAT(operators, SizeIs(1));
  EXPECT_EQ(operators[0].kind, OperatorKind::convolution_backward);
}

}  // namespace
}  // namespace mpbench::profile

#include "../../src/train/schedule.hpp"

#include <gtest/gtest.h>

namespace mpbench::train {
namespace {

TEST(ScheduleTest, WarmsUpLinearlyThenStays) {
  const Schedule schedule{.base_lr = 0.1, .total_steps = 10, .warmup_steps = 4};
  EXPECT_DOUBLE_EQ(schedule.lr(0), 0.025);
  EXPECT_DOUBLE_EQ(schedule.lr(3), 0.1);
  EXPECT_DOUBLE_EQ(schedule.lr(9), 0.1);
}

TEST(ScheduleTest, CosineFallsFromTheBaseToZero) {
  const Schedule schedule{
      .kind = ScheduleKind::cosine, .base_lr = 0.2, .total_steps = 12, .warmup_steps = 2};
  EXPECT_DOUBLE_EQ(schedule.lr(2), 0.2);
  EXPECT_NEAR(schedule.lr(7), 0.1, 1e-15);  // Half-way: cos(pi/2) = 0.
  EXPECT_NEAR(schedule.lr(12), 0.0, 1e-15);
  EXPECT_NEAR(schedule.lr(100), 0.0, 1e-15);
}

TEST(ScheduleTest, CosineEndsAtTheSmallestRate) {
  const Schedule schedule{
      .kind = ScheduleKind::cosine, .base_lr = 0.2, .total_steps = 10, .min_lr = 0.02};
  EXPECT_DOUBLE_EQ(schedule.lr(0), 0.2);
  EXPECT_NEAR(schedule.lr(5), 0.11, 1e-15);
  EXPECT_DOUBLE_EQ(schedule.lr(10), 0.02);
  EXPECT_DOUBLE_EQ(schedule.lr(100), 0.02);
}

}  // namespace
}  // namespace mpbench::train

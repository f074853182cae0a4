#include "mpbench/device/step_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <chrono>
#include <thread>

#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::device {
namespace {

TEST(StepClockTest, TimesEachPieceAndForgetsItOnceCollected) {
  StepClock clock(torch::kCPU);
  for (const int ms : {20, 1}) {
    clock.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    clock.end();
  }
  const auto seconds = clock.collect();
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_GE(seconds[0], 0.02);
  EXPECT_GE(seconds[1], 0.001);
  EXPECT_LT(seconds[1], seconds[0]);
  EXPECT_TRUE(clock.collect().empty());
}

TEST(StepClockTest, TellsEachPieceOnceInOrder) {
  StepClock clock(torch::kCPU);
  EXPECT_FALSE(clock.next_if_finished());
  EXPECT_THROW(clock.next(), Error);
  for (const int ms : {20, 1, 5}) {
    clock.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    clock.end();
  }
  EXPECT_GE(clock.next(), 0.02);
  EXPECT_GE(clock.next_if_finished().value_or(0), 0.001);
  EXPECT_EQ(clock.collect().size(), 1U);
  EXPECT_FALSE(clock.next_if_finished());
}

TEST(StepClockTest, BeginsAPieceAnewThatWasNotEnded) {
  StepClock clock(torch::kCPU);
  clock.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  clock.begin();
  clock.end();
  const auto seconds = clock.collect();
  ASSERT_EQ(seconds.size(), 1U);
  EXPECT_LT(seconds[0], 0.25);
}

TEST(StepClockTest, TimesAGpusWorkAndNotItsStart) {
  SKIP_WITHOUT_CUDA();
  const auto device = parse_device("cuda");
  const auto matrix = torch::rand({4096, 4096}, device);
  auto product = matrix.mm(matrix);
  synchronize(device);
  StepClock clock(device);
  for (const int times : {64, 1}) {
    clock.begin();
    for (int i = 0; i < times; ++i) product = matrix.mm(matrix);
    clock.end();
  }
  const auto seconds = clock.collect();
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_GT(seconds[1], 0);
  EXPECT_GT(seconds[0], 8 * seconds[1]);
}

}  // namespace
}  // namespace mpbench::device

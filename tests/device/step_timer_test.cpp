#include "mpbench/device/step_timer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <chrono>
#include <thread>

#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::device {
namespace {

/// Seconds of all steps that have ended and were not read yet.
std::vector<double> collect(StepTimer& timer) {
  std::vector<double> all;
  while (const auto seconds = timer.next_if_finished()) all.push_back(*seconds);
  return all;
}

TEST(StepTimerTest, TimesEachStepAndForgetsItOnceRead) {
  StepTimer timer(torch::kCPU);
  for (const int ms : {20, 1}) {
    timer.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    timer.end();
  }
  const auto seconds = collect(timer);
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_GE(seconds[0], 0.02);
  EXPECT_GE(seconds[1], 0.001);
  EXPECT_LT(seconds[1], seconds[0]);
  EXPECT_TRUE(collect(timer).empty());
}

TEST(StepTimerTest, ReadsEachStepOnceInOrder) {
  StepTimer timer(torch::kCPU);
  EXPECT_FALSE(timer.next_if_finished());
  EXPECT_THROW(timer.next(), Error);
  for (const int ms : {20, 1, 5}) {
    timer.begin();
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    timer.end();
  }
  EXPECT_GE(timer.next(), 0.02);
  EXPECT_GE(timer.next_if_finished().value_or(0), 0.001);
  EXPECT_EQ(collect(timer).size(), 1U);
  EXPECT_FALSE(timer.next_if_finished());
}

TEST(StepTimerTest, BeginsAStepAnewThatWasNotEnded) {
  StepTimer timer(torch::kCPU);
  timer.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  timer.begin();
  timer.end();
  const auto seconds = collect(timer);
  ASSERT_EQ(seconds.size(), 1U);
  EXPECT_LT(seconds[0], 0.25);
}

TEST(StepTimerTest, TimesAGpusWorkAndNotItsStart) {
  SKIP_WITHOUT_CUDA();
  const auto device = parse_device("cuda");
  const auto matrix = torch::rand({4096, 4096}, device);
  auto product = matrix.mm(matrix);
  synchronize(device);
  StepTimer timer(device);
  for (const int times : {64, 1}) {
    timer.begin();
    for (int i = 0; i < times; ++i) product = matrix.mm(matrix);
    timer.end();
  }
  synchronize(device);
  const auto seconds = collect(timer);
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_GT(seconds[1], 0);
  EXPECT_GT(seconds[0], 8 * seconds[1]);
}

}  // namespace
}  // namespace mpbench::device

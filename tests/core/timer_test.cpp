#include "mpbench/core/timer.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace mpbench {
namespace {

TEST(StopwatchTest, RestartReturnsWhatPassedAndBeginsAnew) {
  Stopwatch watch;
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_GE(watch.restart(), 0.03);
  EXPECT_LT(watch.seconds(), 0.03);
}

TEST(ProcessStartTest, AdvancesWithTheClock) {
  const double before = seconds_since_process_start();
  EXPECT_GE(before, 0);
  EXPECT_LT(before, 600);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double passed = seconds_since_process_start() - before;
  EXPECT_GE(passed, 0.045);
  EXPECT_LT(passed, 5);
}

}  // namespace
}  // namespace mpbench

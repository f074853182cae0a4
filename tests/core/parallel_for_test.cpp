#include "mpbench/core/parallel_for.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"

namespace mpbench {
namespace {

TEST(ParallelForTest, DoesEveryItemOnce) {
  for (const int threads : {0, 1, 3, 100}) {
    std::vector<std::atomic<int>> times(50);
    parallel_for(times.size(), threads, [&](std::size_t i) { ++times[i]; });
    EXPECT_TRUE(std::all_of(times.begin(), times.end(), [](const auto& n) { return n == 1; }));
  }
}

TEST(ParallelForTest, ReportsAtTheEndEvenWithoutItems) {
  int reports = 0;
  parallel_for(
      0, 2, [](std::size_t) { FAIL(); }, [&] { ++reports; });
  EXPECT_EQ(reports, 1);
  std::atomic<int> done = 0;
  int last = 0;
  parallel_for(
      5, 2, [&](std::size_t) { ++done; }, [&] { last = done; });
  EXPECT_EQ(last, 5);
}

TEST(ParallelForTest, ThrowsTheFirstFailureAndBeginsNothingMore) {
  std::atomic<std::size_t> done = 0;
  try {
    parallel_for(1000, 1, [&](std::size_t i) {
      if (i == 10) throw std::runtime_error("the tenth");
      ++done;
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "the tenth");
  }
  EXPECT_EQ(done, 10U);
}

TEST(ParallelForTest, AFailedReportStopsIt) {
  EXPECT_THROW(parallel_for(
                   3, 2, [](std::size_t) {}, [] { throw std::runtime_error("the terminal"); }),
               std::runtime_error);
}

TEST(ParallelForTest, StopsWhenInterrupted) {
  std::atomic<std::size_t> done = 0;
  EXPECT_THROW(parallel_for(1000, 1,
                            [&](std::size_t i) {
                              ++done;
                              if (i == 10) request_interrupt();
                            }),
               Interrupted);
  request_interrupt(false);
  EXPECT_EQ(done, 11U);
}

}  // namespace
}  // namespace mpbench

#include "mpbench/stats/fold_interval.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

TEST(FoldIntervalTest, AddsTheRatioOfTestToTrainingData) {
  // s = 1, k = 3, t(0.975, 2) = 4.3026527: half of 4.3026527 sqrt(1/3 + 1/2).
  const auto interval = fold_interval(std::vector{1.0, 2.0, 3.0}, 0.5);
  ASSERT_TRUE(interval.has_value());
  EXPECT_DOUBLE_EQ(interval->value, 2);
  EXPECT_NEAR(*interval->high, 2 + 4.3026527297 * std::sqrt(5.0 / 6), 1e-9);
  EXPECT_NEAR(*interval->low, 2 - 4.3026527297 * std::sqrt(5.0 / 6), 1e-9);
}

TEST(FoldIntervalTest, HasNothingToSayOfOneFoldOrOfNoSpread) {
  EXPECT_FALSE(fold_interval(std::vector{0.1}, 0.25).has_value());
  EXPECT_FALSE(fold_interval({}, 0.25).has_value());
  EXPECT_FALSE(fold_interval(std::vector{0.1, 0.1, 0.1}, 0.25).has_value());
}

TEST(FoldIntervalTest, RefusesWhatIsNoRatioOrNoNumber) {
  for (const double ratio : {0.0, -0.5, double{INFINITY}, std::nan("")}) {
    EXPECT_THROW((void)fold_interval(std::vector{1.0, 2.0}, ratio), UsageError) << ratio;
  }
  EXPECT_THROW((void)fold_interval(std::vector{1.0, 2.0}, 0.5, 1), UsageError);
  EXPECT_THROW((void)fold_interval(std::vector{1.0, std::nan("")}, 0.5), Error);
}

}  // namespace
}  // namespace mpbench::stats

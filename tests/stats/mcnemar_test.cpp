#include "mpbench/stats/mcnemar.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

TEST(McNemarTest, IsTwiceTheTailOfAFairCoin) {
  EXPECT_DOUBLE_EQ(mcnemar_exact(0, 5), 2.0 / 32);
  EXPECT_DOUBLE_EQ(mcnemar_exact(5, 0), 2.0 / 32);
  // 1, 10 and 45 of 1024 ways to have at most 2 of 10.
  EXPECT_DOUBLE_EQ(mcnemar_exact(2, 8), 2.0 * 56 / 1024);
}

TEST(McNemarTest, IsOneWhereNothingSpeaksForEither) {
  EXPECT_EQ(mcnemar_exact(0, 0), 1);
  EXPECT_EQ(mcnemar_exact(1, 0), 1);
  EXPECT_EQ(mcnemar_exact(7, 7), 1);
}

TEST(McNemarTest, TakesTensOfMillions) {
  // With so many samples it is the normal test with the correction for continuity.
  const std::int64_t half = 10'000'000;
  const double z = (10'000 - 1) / std::sqrt(2.0 * half + 10'000);
  EXPECT_NEAR(mcnemar_exact(half, half + 10'000), std::erfc(z / std::sqrt(2.0)), 1e-6);
  EXPECT_EQ(mcnemar_exact(0, half), 0);
}

TEST(McNemarTest, RefusesNegativeCounts) {
  EXPECT_THROW((void)mcnemar_exact(-1, 2), Error);
  EXPECT_THROW((void)mcnemar_exact(2, -1), Error);
}

}  // namespace
}  // namespace mpbench::stats

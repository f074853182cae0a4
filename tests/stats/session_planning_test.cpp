#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpbench/stats/session_statistics.hpp"
#include "support/matchers.hpp"

namespace mpbench::stats {
namespace {

TEST(DetectableEffectTest, IsSoManyStandardDeviations) {
  // t(0.975, 5) + t(0.8, 5) = 2.57058 + 0.91954.
  EXPECT_NEAR(std::log1p(detectable_effect(0.01, 6, 0.05)), 0.01 * 3.49012 / std::sqrt(6), 1e-7);
  EXPECT_LT(detectable_effect(0.01, 7, 0.05), detectable_effect(0.01, 6, 0.05));
  EXPECT_GT(detectable_effect(0.01, 6, 0.0221), detectable_effect(0.01, 6, 0.05));
  EXPECT_GT(detectable_effect(0.01, 6, 0.05, 0.9), detectable_effect(0.01, 6, 0.05));
}

TEST(DetectableEffectTest, IsNothingWhereNothingVaries) {
  EXPECT_EQ(detectable_effect(0, 2, 0.05), 0);
  // Less power than an arm without any effect has.
  EXPECT_EQ(detectable_effect(0.01, 6, 0.05, 0.01), 0);
}

TEST(DetectableEffectTest, RefusesWhatMakesNoSense) {
  EXPECT_THROW(detectable_effect(0.01, 1, 0.05), Error);
  EXPECT_THROW(detectable_effect(-0.01, 6, 0.05), Error);
  EXPECT_THROW(detectable_effect(std::nan(""), 6, 0.05), Error);
  EXPECT_THAT([] { detectable_effect(0.01, 6, 0); }, ThrowsWith<UsageError>("level"));
  EXPECT_THAT([] { detectable_effect(0.01, 6, 0.05, 1); }, ThrowsWith<UsageError>("power"));
}

TEST(SessionsNeededTest, IsTheSmallestNumberThatSuffices) {
  for (const double sd : {0.002, 0.01, 0.05}) {
    const auto sessions = sessions_needed(sd, 0.0221, 0.02);
    ASSERT_TRUE(sessions);
    EXPECT_LE(detectable_effect(sd, *sessions, 0.0221), 0.02);
    if (*sessions > 2) {
      EXPECT_GT(detectable_effect(sd, *sessions - 1, 0.0221), 0.02);
    }
  }
}

TEST(SessionsNeededTest, IsTwoAtLeastAndMostAtMost) {
  EXPECT_EQ(sessions_needed(0, 0.05, 0.02), 2);
  const int needed = sessions_needed(0.05, 0.05, 0.02).value();
  EXPECT_EQ(sessions_needed(0.05, 0.05, 0.02, 0.8, needed), needed);
  EXPECT_EQ(sessions_needed(0.05, 0.05, 0.02, 0.8, needed - 1), std::nullopt);
  EXPECT_EQ(sessions_needed(1, 0.05, 0.0001), std::nullopt);
}

TEST(SessionsNeededTest, RefusesAnEffectThatIsNone) {
  for (const double effect : {0.0, -0.02, std::nan("")}) {
    EXPECT_THAT([&] { sessions_needed(0.01, 0.05, effect); },
                ThrowsWith<UsageError>("an effect to be found is above 0"));
  }
}

}  // namespace
}  // namespace mpbench::stats

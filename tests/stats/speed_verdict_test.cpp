#include "mpbench/stats/speed_verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/matchers.hpp"

namespace mpbench::stats {
namespace {

/// Six sessions of this mean and standard deviation.
SessionInterval sessions_of(double mean, double sd, double level = 0.05) {
  // Of -1, 1 and four zeros the standard deviation is sqrt(0.4).
  std::vector<double> values{-1, 1, 0, 0, 0, 0};
  for (double& value : values) value = mean + value * sd / std::sqrt(0.4);
  return session_interval(values, level).value();
}

TEST(SpeedVerdictTest, FollowsTheInterval) {
  EXPECT_EQ(speed_verdict(sessions_of(0.1, 0.02), 0.02), SpeedVerdict::faster);
  EXPECT_EQ(speed_verdict(sessions_of(-0.1, 0.02), 0.02), SpeedVerdict::slower);
  EXPECT_EQ(speed_verdict(sessions_of(0.002, 0.01), 0.02), SpeedVerdict::equivalent);
  EXPECT_EQ(speed_verdict(sessions_of(0.01, 0.02), 0.02), SpeedVerdict::unresolved);
  EXPECT_EQ(speed_verdict(sessions_of(0, 0.1), 0.02), SpeedVerdict::unresolved);
}

TEST(SpeedVerdictTest, ADifferenceGoesBeforeItsSmallness) {
  const SessionInterval small = sessions_of(0.01, 0.002);
  EXPECT_EQ(speed_verdict(small, 0.02), SpeedVerdict::faster);
  EXPECT_TRUE(within_equivalence(small, 0.02));
  EXPECT_EQ(speed_verdict(sessions_of(-0.01, 0.002), 0.02), SpeedVerdict::slower);
  EXPECT_FALSE(within_equivalence(sessions_of(0.1, 0.002), 0.02));
}

TEST(SpeedVerdictTest, ChangesWhereTheIntervalReachesZero) {
  // t(0.975, 5) / sqrt(6)
  const double half_width = 2.5705818 / std::sqrt(6) * 0.05;
  EXPECT_EQ(speed_verdict(sessions_of(1.0001 * half_width, 0.05), 0.02), SpeedVerdict::faster);
  EXPECT_EQ(speed_verdict(sessions_of(0.9999 * half_width, 0.05), 0.02), SpeedVerdict::unresolved);
}

TEST(WithinEquivalenceTest, TestsEachSideAtTheLevelItself) {
  // t(0.95, 5) / sqrt(6): the interval of confidence 90 %.
  const double half_width = 2.0150484 / std::sqrt(6) * 0.01;
  const double edge = std::log(1.02) - half_width;
  for (const int side : {-1, 1}) {
    EXPECT_TRUE(within_equivalence(sessions_of(side * (edge - 1e-6), 0.01), 0.02));
    EXPECT_FALSE(within_equivalence(sessions_of(side * (edge + 1e-6), 0.01), 0.02));
  }
  EXPECT_FALSE(within_equivalence(sessions_of(edge - 1e-6, 0.01, 0.0221), 0.02));
}

TEST(WithinEquivalenceTest, IsNeverShownOfNoWidth) {
  EXPECT_FALSE(within_equivalence(sessions_of(0, 0), 0));
  EXPECT_TRUE(within_equivalence(sessions_of(0, 0), 1e-9));
  EXPECT_EQ(speed_verdict(sessions_of(0, 0), 0.02), SpeedVerdict::equivalent);
  EXPECT_EQ(speed_verdict(sessions_of(0.001, 0), 0.02), SpeedVerdict::faster);
}

TEST(WithinEquivalenceTest, RefusesWhatMakesNoSense) {
  for (const double equivalence : {-0.02, std::nan("")}) {
    EXPECT_THAT([&] { within_equivalence(sessions_of(0, 0.01), equivalence); },
                ThrowsWith<UsageError>("the smallest speed-up that matters"));
  }
  EXPECT_THAT([] { speed_verdict(sessions_of(0, 0.01, 0.5), 0.02); },
              ThrowsWith<UsageError>("between 0 and 0.5"));
  EXPECT_THROW(speed_verdict(SessionInterval{.level = 0.05}, 0.02), Error);
}

/// Of two independent sets of sessions; t(0.95, 10) is 1.8124611, t(0.975, 10) is 2.2281389.
MeanDifference change_of(double difference, double standard_error) {
  return {.difference = difference,
          .standard_error = standard_error,
          .degrees = 10,
          .level = 0.05,
          .low = difference - 2.2281389 * standard_error,
          .high = difference + 2.2281389 * standard_error};
}

TEST(SpeedVerdictTest, FollowsTheIntervalOfIndependentSessionsToo) {
  EXPECT_EQ(speed_verdict(change_of(0.1, 0.02), 0.02), SpeedVerdict::faster);
  EXPECT_EQ(speed_verdict(change_of(-0.1, 0.02), 0.02), SpeedVerdict::slower);
  EXPECT_EQ(speed_verdict(change_of(0.002, 0.005), 0.02), SpeedVerdict::equivalent);
  EXPECT_EQ(speed_verdict(change_of(0.01, 0.02), 0.02), SpeedVerdict::unresolved);
}

TEST(WithinEquivalenceTest, TakesTheDegreesOfIndependentSessions) {
  const double edge = std::log(1.02) - 1.8124611 * 0.005;
  for (const int side : {-1, 1}) {
    EXPECT_TRUE(within_equivalence(change_of(side * (edge - 1e-6), 0.005), 0.02));
    EXPECT_FALSE(within_equivalence(change_of(side * (edge + 1e-6), 0.005), 0.02));
  }
  EXPECT_THROW(within_equivalence(MeanDifference{.level = 0.05}, 0.02), Error);
}

TEST(SpeedVerdictTest, HasNames) {
  EXPECT_EQ(enum_name(SpeedVerdict::unresolved), "unresolved");
  EXPECT_EQ(enum_choices<SpeedVerdict>(), "faster, slower, equivalent or unresolved");
}

}  // namespace
}  // namespace mpbench::stats

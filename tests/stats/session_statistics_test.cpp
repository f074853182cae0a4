#include "mpbench/stats/session_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpbench/core/random.hpp"
#include "support/matchers.hpp"

// The figures themselves are checked against NumPy and SciPy in
// tests/parity/session_statistics_parity_test.py.
namespace mpbench::stats {
namespace {

using Values = std::vector<double>;

constexpr double infinite = std::numeric_limits<double>::infinity();

TEST(HodgesLehmannTest, IsTheMedianOfMeansOfPairs) {
  EXPECT_DOUBLE_EQ(hodges_lehmann(Values{3}), 3);
  EXPECT_DOUBLE_EQ(hodges_lehmann(Values{3, 6}), 4.5);
  // 1 1.5 2 2.5 3 | 4 5 5.5 6.5 9
  EXPECT_DOUBLE_EQ(hodges_lehmann(Values{9, 1, 4, 2}), 3.5);
}

TEST(HodgesLehmannTest, TwoOfEightMayBeAnywhere) {
  for (const double outlier : {1e3, 1e300, -1e300}) {
    const double value = hodges_lehmann(Values{1, 2, 3, 4, 5, 6, outlier, outlier});
    EXPECT_GE(value, 1);
    EXPECT_LE(value, 6);
  }
  EXPECT_GT(hodges_lehmann(Values{1, 2, 3, 4, 5, 1e3, 1e3, 1e3}), 6);
}

TEST(HodgesLehmannTest, DoesNotOverflow) {
  EXPECT_EQ(hodges_lehmann(Values{1.5e308, 1.5e308}), 1.5e308);
}

TEST(HodgesLehmannTest, RefusesNothingAndWhatIsNoNumber) {
  EXPECT_THROW(hodges_lehmann(Values{}), Error);
  EXPECT_THROW(hodges_lehmann(Values{1, std::nan("")}), Error);
  EXPECT_THROW(hodges_lehmann(Values{infinite, -infinite}), Error);
}

TEST(SessionIntervalTest, IsStudentsT) {
  const auto interval = session_interval(Values{0.01, 0.02, 0.03}, 0.05);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->mean, 0.02, 1e-15);
  EXPECT_NEAR(interval->sd, 0.01, 1e-15);
  EXPECT_EQ(interval->sessions, 3);
  EXPECT_EQ(interval->level, 0.05);
  EXPECT_NEAR(interval->low, 0.02 - 4.302652729911275 * 0.01 / std::sqrt(3), 1e-12);
  EXPECT_NEAR(interval->high, 0.02 + 4.302652729911275 * 0.01 / std::sqrt(3), 1e-12);
  // With two degrees of freedom the two-sided p-value is 1 - t / sqrt(t^2 + 2), t = 2 sqrt(3).
  EXPECT_NEAR(interval->p_value, 1 - std::sqrt(12) / std::sqrt(14), 1e-12);
}

TEST(SessionIntervalTest, AfterMoreSessionsLikeThese) {
  const auto now = session_interval(Values{0.01, 0.02, 0.03}, 0.05);
  const SessionInterval same = interval_after(*now, 3);
  EXPECT_EQ(same.low, now->low);
  EXPECT_EQ(same.p_value, now->p_value);
  const SessionInterval later = interval_after(*now, 12);
  EXPECT_EQ(later.mean, now->mean);
  EXPECT_EQ(later.sessions, 12);
  // t(0.975, 11)
  EXPECT_NEAR(later.high, 0.02 + 2.200985160082949 * 0.01 / std::sqrt(12), 1e-12);
  EXPECT_THROW(interval_after(*now, 1), Error);
}

TEST(SessionIntervalTest, LeavesOutZeroWhereThePValueIsBelowTheLevel) {
  const Values sessions{0.004, 0.019, -0.002, 0.013, 0.008, 0.011};
  const double p = session_interval(sessions, 0.05)->p_value;
  EXPECT_GT(session_interval(sessions, p * 1.001)->low, 0);
  EXPECT_LT(session_interval(sessions, p * 0.999)->low, 0);
}

TEST(SessionIntervalTest, NeedsTwoSessions) {
  EXPECT_FALSE(session_interval(Values{}, 0.05));
  EXPECT_FALSE(session_interval(Values{0.1}, 0.05));
  EXPECT_TRUE(session_interval(Values{0.1, 0.2}, 0.05));
}

TEST(SessionIntervalTest, IsAPointWhereNoSessionDiffers) {
  const auto none = session_interval(Values{0, 0, 0}, 0.05);
  EXPECT_EQ(none->p_value, 1);
  EXPECT_EQ(none->low, 0);
  EXPECT_EQ(none->high, 0);
  // 0.1 has no exact sum of six.
  const auto some = session_interval(Values(6, 0.1), 0.05);
  EXPECT_EQ(some->p_value, 0);
  EXPECT_EQ(some->sd, 0);
  EXPECT_EQ(some->low, 0.1);
  EXPECT_EQ(some->high, 0.1);
  EXPECT_LT(session_interval(Values{1, 1, std::nextafter(1, 2)}, 0.05)->p_value, 1e-20);
  EXPECT_EQ(session_interval(Values{-1, 1}, 0.05)->p_value, 1);
}

TEST(SessionIntervalTest, RefusesWhatIsNoLevelOrNoNumber) {
  for (const double level : {0.0, 1.0, -1.0, std::nan("")}) {
    EXPECT_THAT(
        [&] {
          session_interval(Values{0.1, 0.2}, level);
        },
        ThrowsWith<UsageError>("a level is between 0 and 1"));
  }
  EXPECT_THROW(session_interval(Values{0.1, infinite}, 0.05), Error);
}

TEST(ProcessSdTest, IsThatOfOneOfTwoProcesses) {
  EXPECT_NEAR(process_sd(Values{-0.01, 0.01}), 0.01, 1e-15);
  EXPECT_EQ(process_sd(Values{0.1, 0.1, 0.1}), 0);
  EXPECT_THROW(process_sd(Values{0.1}), Error);
}

TEST(NullArmTest, DiffersAtOnePercent) {
  // t = sqrt(6) mean / sd against t(0.995, 5) = 4.0321.
  const auto shifted = [](double t) {
    const double sd = std::sqrt(0.4);
    Values sessions{-1, 1, 0, 0, 0, 0};
    for (double& value : sessions) value += t * sd / std::sqrt(6);
    return sessions;
  };
  EXPECT_TRUE(null_arm_differs(shifted(4.04)));
  EXPECT_FALSE(null_arm_differs(shifted(4.02)));
  EXPECT_TRUE(null_arm_differs(shifted(-4.04)));
  EXPECT_FALSE(null_arm_differs(shifted(-4.02)));
}

TEST(NullArmTest, DoesNotDifferWhereNothingCanBeSaid) {
  EXPECT_FALSE(null_arm_differs(Values{}));
  EXPECT_FALSE(null_arm_differs(Values{0.5}));
  EXPECT_FALSE(null_arm_differs(Values{0, 0, 0}));
  EXPECT_TRUE(null_arm_differs(Values{0.1, 0.1, 0.1}));
}

TEST(NoisierThanNullTest, TestsTheVarianceAgainstThreeQuartersOfTheNulls) {
  // F(0.95; 5, 6) = 4.3874 (any table): the arm's variance is 0.4, so the mean square of the null
  // has to be below 0.4 / (0.75 * 4.3874).
  const Values arm{-1, 1, 0, 0, 0, 0};
  const double edge = std::sqrt(0.4 / (0.75 * 4.3874));
  EXPECT_TRUE(noisier_than_null(arm, Values(6, 0.999 * edge)));
  EXPECT_FALSE(noisier_than_null(arm, Values(6, 1.001 * edge)));
}

TEST(NoisierThanNullTest, IsAboutSpreadNotSpeed) {
  const Values null{-0.01, 0.012, 0.003, -0.004};
  EXPECT_FALSE(noisier_than_null(Values{0.5, 0.51, 0.495, 0.502}, null));
  EXPECT_TRUE(noisier_than_null(Values{0.5, 0.6, 0.4, 0.5}, null));
}

TEST(NoisierThanNullTest, SaysNoWhereNothingCanBeSaid) {
  EXPECT_FALSE(noisier_than_null(Values{0.1}, Values{0.1, 0.2}));
  EXPECT_FALSE(noisier_than_null(Values{0.1, 0.2}, Values{}));
  EXPECT_FALSE(noisier_than_null(Values{0.1, 0.1}, Values{0, 0}));
  EXPECT_TRUE(noisier_than_null(Values{0.1, 0.2}, Values{0, 0}));
}

}  // namespace
}  // namespace mpbench::stats

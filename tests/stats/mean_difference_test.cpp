#include "mpbench/stats/mean_difference.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/matchers.hpp"

namespace mpbench::stats {
namespace {

using Values = std::vector<double>;

TEST(MeanDifferenceTest, IsWelchs) {
  // scipy.stats.ttest_ind(later, earlier, equal_var=False) and its confidence_interval(0.95);
  // over many samples in tests/parity/session_statistics_parity_test.py.
  const auto result = mean_difference(Values{4.60, 4.62, 4.58, 4.61},
                                      Values{4.55, 4.50, 4.59, 4.47, 4.53, 4.56}, 0.05);
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->difference, -0.0691666667, 1e-9);
  EXPECT_NEAR(result->standard_error, 0.0195966267, 1e-9);
  EXPECT_NEAR(result->degrees, 6.9794229479, 1e-9);
  EXPECT_NEAR(result->low, -0.1155330347, 1e-8);
  EXPECT_NEAR(result->high, -0.0228002987, 1e-8);
  EXPECT_NEAR(result->p_value, 0.0096502965, 1e-8);
  EXPECT_EQ(result->level, 0.05);
}

TEST(MeanDifferenceTest, LikeSpreadsAndSizesGiveStudentsDegrees) {
  // t(0.975, 4) = 2.7764451052 and a standard error of sqrt(2 / 3).
  const auto result = mean_difference(Values{1, 2, 3}, Values{2, 3, 4}, 0.05);
  EXPECT_DOUBLE_EQ(result->degrees, 4);
  EXPECT_NEAR(result->low, 1 - 2.7764451052 * std::sqrt(2.0 / 3), 1e-9);
  EXPECT_NEAR(result->high, 1 + 2.7764451052 * std::sqrt(2.0 / 3), 1e-9);
}

TEST(MeanDifferenceTest, ASampleThatDoesNotVaryCostsNoDegrees) {
  // 0.1 has no exact sum of six. t(0.975, 2) = 4.3026527299.
  const auto result = mean_difference(Values(6, 0.1), Values{1, 2, 3}, 0.05);
  EXPECT_DOUBLE_EQ(result->degrees, 2);
  EXPECT_DOUBLE_EQ(result->difference, 1.9);
  EXPECT_NEAR(result->high, 1.9 + 4.3026527299 / std::sqrt(3), 1e-9);
}

TEST(MeanDifferenceTest, IsAPointWhereNeitherVaries) {
  const auto none = mean_difference(Values(6, 0.1), Values(3, 0.1), 0.05);
  EXPECT_EQ(none->low, 0);
  EXPECT_EQ(none->high, 0);
  EXPECT_EQ(none->p_value, 1);
  const auto some = mean_difference(Values{0, 0}, Values{1, 1}, 0.05);
  EXPECT_EQ(some->low, 1);
  EXPECT_EQ(some->high, 1);
  EXPECT_EQ(some->p_value, 0);
}

TEST(MeanDifferenceTest, LeavesOutZeroWhereThePValueIsBelowTheLevel) {
  const Values earlier{0.004, 0.019, -0.002, 0.013};
  const Values later{0.021, 0.034, 0.015, 0.031, 0.012};
  const double p = mean_difference(earlier, later, 0.05)->p_value;
  EXPECT_GT(mean_difference(earlier, later, p * 1.001)->low, 0);
  EXPECT_LT(mean_difference(earlier, later, p * 0.999)->low, 0);
  EXPECT_LT(mean_difference(later, earlier, p * 1.001)->high, 0) << "and the other way round";
}

TEST(MeanDifferenceTest, NeedsTwoValuesOfEach) {
  EXPECT_FALSE(mean_difference(Values{0.1}, Values{0.1, 0.2}, 0.05));
  EXPECT_FALSE(mean_difference(Values{0.1, 0.2}, Values{}, 0.05));
  EXPECT_TRUE(mean_difference(Values{0.1, 0.2}, Values{0.1, 0.2}, 0.05));
}

TEST(MeanDifferenceTest, RefusesWhatIsNoLevelOrNoNumber) {
  const Values values{0.1, 0.2};
  for (const double level : {0.0, 1.0, -1.0, std::nan("")}) {
    EXPECT_THAT([&] { mean_difference(values, values, level); },
                ThrowsWith<UsageError>("a level is between 0 and 1"));
  }
  constexpr double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(mean_difference(values, Values{0.1, std::nan("")}, 0.05), Error);
  EXPECT_THROW(mean_difference(Values{infinite, infinite}, values, 0.05), Error);
}

}  // namespace
}  // namespace mpbench::stats

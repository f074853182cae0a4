#include "mpbench/stats/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpbench/core/error.hpp"

// The figures themselves are checked against numpy, SciPy and scikit-learn in
// tests/parity/statistics_parity_test.py.
namespace mpbench::stats {
namespace {

using Values = std::vector<double>;

TEST(StatisticsTest, RefusesNothingAndWhatIsNoNumber) {
  EXPECT_THROW(median(Values{}), Error);
  EXPECT_THROW(median(Values{1, std::numeric_limits<double>::quiet_NaN()}), Error);
  EXPECT_THROW(mean(Values{std::numeric_limits<double>::infinity()}), Error);
  EXPECT_THROW(standard_deviation(Values{1}), Error);
  EXPECT_THROW(quantile(Values{1, 2}, 1.5), Error);
}

TEST(StatisticsTest, OneValueHasNoInterval) {
  const Estimate one = mean_interval(Values{2.5});
  EXPECT_EQ(one.value, 2.5);
  EXPECT_FALSE(one.has_interval());
}

TEST(StatisticsTest, RefusesWhatIsNoConfidence) {
  EXPECT_THROW(mean_interval(Values{1, 2}, 1.0), UsageError);
}

}  // namespace
}  // namespace mpbench::stats

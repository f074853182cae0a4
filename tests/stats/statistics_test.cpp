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
  EXPECT_FALSE(ratio_interval(Values{3}, Values{2}).has_interval());
  EXPECT_DOUBLE_EQ(ratio_interval(Values{3}, Values{2}).value, 1.5);
  EXPECT_EQ(noise_floor(Values{3}), std::nullopt);
}

TEST(StatisticsTest, RefusesRatiosThatHaveNoLogarithm) {
  EXPECT_THROW(ratio_interval(Values{1, 0}, Values{1, 1}), Error);
  EXPECT_THROW(ratio_interval(Values{1, 1}, Values{1, -1}), Error);
  EXPECT_THROW(ratio_interval(Values{1, 1}, Values{1}), Error);
  EXPECT_THROW(noise_floor(Values{1, 0}), Error);
  EXPECT_THROW(mean_interval(Values{1, 2}, 1.0), UsageError);
}

TEST(StatisticsTest, ARatioAndItsInverseAgree) {
  const Values a{101, 99, 104};
  const Values b{80, 84, 79};
  const Estimate up = ratio_interval(a, b);
  const Estimate down = ratio_interval(b, a);
  EXPECT_NEAR(up.value * down.value, 1, 1e-12);
  EXPECT_NEAR(*up.low * *down.high, 1, 1e-12);
}

TEST(StatisticsTest, PairingTakesOutWhatBothShare) {
  // The machine slows down by half over the repeats; the ratio does not change.
  const Estimate drifting = ratio_interval(Values{200, 150, 100}, Values{100, 75, 50});
  EXPECT_NEAR(*drifting.high - *drifting.low, 0, 1e-9);
}

}  // namespace
}  // namespace mpbench::stats

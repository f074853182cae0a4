#include "../../src/stats/student_t.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "support/matchers.hpp"

namespace mpbench::stats {
namespace {

// Against SciPy: tests/parity/session_statistics_parity_test.py.

TEST(StudentTTest, IsCauchysWithOneDegreeOfFreedom) {
  for (const double probability : {0.4, 0.025, 0.011, 1e-6}) {
    const double t = std::tan(std::numbers::pi * (0.5 - probability));
    EXPECT_NEAR(t_upper_quantile(probability, 1) / t, 1, 1e-9);
    EXPECT_NEAR(t_two_sided(t, 1) / (2 * probability), 1, 1e-9);
  }
}

TEST(StudentTTest, TakesPartsOfADegree) {
  // With two, t(p) = (2p - 1) sqrt(2 / (1 - (2p - 1)^2)).
  EXPECT_NEAR(t_upper_quantile(0.05, 2), 0.9 * std::sqrt(2 / (1 - 0.81)), 1e-12);
  EXPECT_LT(t_upper_quantile(0.05, 2.5), t_upper_quantile(0.05, 2));
  EXPECT_GT(t_upper_quantile(0.05, 2.5), t_upper_quantile(0.05, 3));
}

TEST(StudentTTest, HasTwoLikeSides) {
  EXPECT_DOUBLE_EQ(t_two_sided(-2.5, 7), t_two_sided(2.5, 7));
  EXPECT_EQ(t_two_sided(0, 7), 1);
  EXPECT_EQ(t_two_sided(std::numeric_limits<double>::infinity(), 7), 0);
  EXPECT_EQ(t_two_sided(-std::numeric_limits<double>::infinity(), 7), 0);
}

TEST(StudentTTest, RefusesWhatIsNoProbability) {
  for (const double value : {0.0, 1.0, -0.1, std::nan("")}) {
    EXPECT_THAT([&] { check_probability(value, "level"); },
                ThrowsWith<UsageError>("a level is between 0 and 1"));
  }
  EXPECT_NO_THROW(check_probability(0.5, "level"));
}

}  // namespace
}  // namespace mpbench::stats

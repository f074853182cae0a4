#include "../../src/stats/log_odds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mpbench::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(LogOddsTest, IsTheInverseOfTheSigmoid) {
  for (const double logit : {-30.0, -2.5, 0.0, 1e-9, 0.75, 8.0}) {
    EXPECT_NEAR(log_odds(1 / (1 + std::exp(-logit))), logit, 1e-9 * (1 + std::exp(logit)));
  }
}

TEST(LogOddsTest, IsInfiniteWhereTheProbabilityIsCertain) {
  EXPECT_EQ(log_odds(0), -infinity);
  EXPECT_EQ(log_odds(-0.1), -infinity);
  EXPECT_EQ(log_odds(1), infinity);
  EXPECT_EQ(log_odds(1.1), infinity);
  EXPECT_TRUE(std::isnan(log_odds(std::numeric_limits<double>::quiet_NaN())));
}

TEST(LogSigmoidTest, IsTheLogarithmOfTheProbability) {
  EXPECT_DOUBLE_EQ(log_sigmoid(0), -std::log(2.0));
  for (const double logit : {-20.0, -1.0, 0.5, 3.0}) {
    EXPECT_NEAR(log_sigmoid(logit), std::log(1 / (1 + std::exp(-logit))), 1e-12);
  }
}

TEST(LogSigmoidTest, IsFiniteWhereTheProbabilityRoundsTo0Or1) {
  EXPECT_EQ(log_sigmoid(-1e300), -1e300);
  EXPECT_DOUBLE_EQ(log_sigmoid(-800), -800);
  EXPECT_DOUBLE_EQ(log_sigmoid(40), -std::exp(-40.0));  // log(1 / (1 + exp(-40))) is 0
}

}  // namespace
}  // namespace mpbench::stats

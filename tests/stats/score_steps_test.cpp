#include "../../src/stats/score_steps.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <vector>

namespace mpbench::stats {
namespace {

TEST(ScoreStepsTest, SamplesOfOneScoreAreOneStep) {
  const ScoreSteps steps =
      score_steps(std::vector{0.5, 2.0, 0.5, 0.5, -1.0}, std::vector{1, 1, 0, 0, 0});
  EXPECT_EQ(steps.of_sample, (std::vector<std::size_t>{1, 0, 1, 1, 2}));
  EXPECT_EQ(steps.true_positives, (std::vector<double>{1, 2, 2}));
  EXPECT_EQ(steps.false_positives, (std::vector<double>{0, 2, 3}));
  EXPECT_EQ(steps.positives(), 2);
  EXPECT_EQ(steps.negatives(), 3);
  EXPECT_EQ(steps.positives_at(1), 1);
  EXPECT_EQ(steps.negatives_at(1), 2);
  EXPECT_EQ(steps.negatives_at(0), 0);
}

TEST(ScoreStepsTest, TakesInfiniteLogits) {
  constexpr double highest = std::numeric_limits<double>::infinity();
  const ScoreSteps steps =
      score_steps(std::vector{-highest, highest, 0.0, highest}, std::vector{0, 1, 0, 1});
  EXPECT_EQ(steps.of_sample, (std::vector<std::size_t>{2, 0, 1, 0}));
}

TEST(ScoreStepsTest, ASpecificityIsReachedBySharesOfTheNegatives) {
  std::vector<double> scores;
  for (int i = 0; i < 30; ++i) scores.push_back(i);
  const ScoreSteps steps = score_steps(scores, std::vector<int>(30, 0));
  EXPECT_EQ(steps_at_specificity(steps, 0.9), 3U);
  EXPECT_EQ(steps_at_specificity(steps, 0.901), 2U);
  EXPECT_EQ(steps_at_specificity(steps, 1), 0U);
  EXPECT_EQ(steps_at_specificity(steps, 0), 30U);
}

}  // namespace
}  // namespace mpbench::stats

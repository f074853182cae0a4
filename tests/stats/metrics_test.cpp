#include "mpbench/stats/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

TEST(AccuracyTest, CountsEqualClasses) {
  EXPECT_DOUBLE_EQ(accuracy(std::vector{1, 0, 2, 2}, std::vector{1, 1, 2, 0}), 0.5);
  EXPECT_TRUE(std::isnan(accuracy({}, {})));
  EXPECT_THROW((void)accuracy(std::vector{1}, std::vector{1, 2}), Error);
}

TEST(ConfusionMatrixTest, HasTheTrueClassInRows) {
  const auto matrix = confusion_matrix(std::vector{1, 2, 2, 0}, std::vector{1, 2, 0, 0}, 3);
  EXPECT_EQ(matrix.counts, (std::vector<std::int64_t>{1, 0, 1, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(matrix.at(0, 2), 1);
  EXPECT_EQ(matrix.at(2, 0), 0);
}

TEST(ConfusionMatrixTest, RefusesClassesThatDoNotExist) {
  EXPECT_THROW((void)confusion_matrix(std::vector{3}, std::vector{0}, 3), Error);
  EXPECT_THROW((void)confusion_matrix(std::vector{0}, std::vector{-1}, 3), Error);
  EXPECT_THROW((void)confusion_matrix(std::vector{0}, std::vector{0}, -1), Error);
  EXPECT_THROW((void)confusion_matrix(std::vector{0, 1}, std::vector{0}, 3), Error);
}

TEST(AucTest, IsTheShareOfPairsInOrderWithTiesAsHalf) {
  // Pairs (positive, negative): 0.4>0.1, 0.4>0.3, 0.8>0.1, 0.8>0.3 all right; then one wrong, one
  // tie.
  EXPECT_DOUBLE_EQ(auc(std::vector{0.1, 0.4, 0.3, 0.8}, std::vector{0, 1, 0, 1}), 1.0);
  EXPECT_DOUBLE_EQ(auc(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector{0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(auc(std::vector{0.5, 0.5, 0.5}, std::vector{0, 1, 1}), 0.5);
}

TEST(AucTest, IsNotANumberWithoutBothClassesOrWithANanScore) {
  EXPECT_TRUE(std::isnan(auc(std::vector{0.1, 0.2}, std::vector{1, 1})));
  EXPECT_TRUE(std::isnan(auc(std::vector{0.1, std::nan("")}, std::vector{1, 0})));
}

TEST(ProbabilisticF1Test, FollowsTheCompetitionsDefinition) {
  // cTP = 0.8 + 0.4, cFP = 0.3: precision 1.2/1.5 = 0.8, recall 1.2/2 = 0.6, F1 = 0.96/1.4.
  EXPECT_NEAR(probabilistic_f1(std::vector{0.8, 0.3, 0.4}, std::vector{1, 0, 1}), 0.96 / 1.4,
              1e-15);
  // Clipped to [0, 1]: cTP = 1, cFP = 0.
  EXPECT_DOUBLE_EQ(probabilistic_f1(std::vector{1.7, -0.2}, std::vector{1, 0}), 1.0);
  EXPECT_DOUBLE_EQ(probabilistic_f1(std::vector{0.0, 0.0}, std::vector{1, 0}), 0.0);
  EXPECT_DOUBLE_EQ(probabilistic_f1(std::vector{0.5}, std::vector{0}), 0.0);
}

TEST(BestF1ThresholdTest, IsTheScoreFromWhichUpF1IsHighest) {
  // From 0.4 up: both positives and one of the two negatives: 2*2 / (2 + 3).
  const auto best = best_f1_threshold(std::vector{0.9, 0.1, 0.4, 0.5}, std::vector{1, 0, 1, 0});
  EXPECT_EQ(best.threshold, 0.4);
  EXPECT_DOUBLE_EQ(best.f1, 0.8);
}

TEST(BestF1ThresholdTest, TakesTheLowestOfEquals) {
  // 0.9 alone gives 2*1/(2+1); from 0.2 up, 2*2/(2+4).
  const auto best = best_f1_threshold(std::vector{0.9, 0.2, 0.3, 0.4}, std::vector{1, 1, 0, 0});
  EXPECT_EQ(best.threshold, 0.2);
  EXPECT_DOUBLE_EQ(best.f1, 2.0 / 3);
}

TEST(BestF1ThresholdTest, KeepsTiesTogether) {
  const auto best = best_f1_threshold(std::vector{0.5, 0.5, 0.5, 0.1}, std::vector{1, 0, 1, 0});
  EXPECT_EQ(best.threshold, 0.5);
  EXPECT_DOUBLE_EQ(best.f1, 0.8);
}

TEST(BestF1ThresholdTest, HasNoThresholdWithoutAPositiveOrWithANanScore) {
  for (const auto& none :
       {best_f1_threshold(std::vector{0.5, 0.7}, std::vector{0, 0}), best_f1_threshold({}, {})}) {
    EXPECT_TRUE(std::isnan(none.threshold));
    EXPECT_EQ(none.f1, 0);
  }
  const auto unknown = best_f1_threshold(std::vector{0.5, std::nan("")}, std::vector{1, 0});
  EXPECT_TRUE(std::isnan(unknown.threshold));
  EXPECT_TRUE(std::isnan(unknown.f1));
  EXPECT_THROW((void)best_f1_threshold(std::vector{0.5}, {}), Error);
}

}  // namespace
}  // namespace mpbench::stats

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

TEST(AveragePrecisionTest, SumsPrecisionOverGainsInRecall) {
  // scikit-learn's own example: 1/2 * 1 + 1/2 * 2/3.
  EXPECT_DOUBLE_EQ(*average_precision(std::vector{0.1, 0.4, 0.35, 0.8}, std::vector{0, 0, 1, 1}),
                   5.0 / 6);
  // One step takes a positive and a negative at once, the next the other positive.
  EXPECT_DOUBLE_EQ(*average_precision(std::vector{0.7, 0.7, 0.2}, std::vector{1, 0, 1}),
                   0.5 * 1 / 2 + 0.5 * 2 / 3);
  EXPECT_DOUBLE_EQ(*average_precision(std::vector{5.0, 5.0, 5.0, 5.0}, std::vector{1, 0, 0, 0}),
                   0.25);
}

TEST(SensitivityTest, IsTheLargestAtTheSpecificityOrMore) {
  // Negatives 1 ... 10: above 9 there is one of ten, and so are the positives 9.5 and 11, not 9.
  std::vector<double> scores{9.5, 3, 11, 9};
  std::vector<int> labels{1, 1, 1, 1};
  for (int score = 1; score <= 10; ++score) {
    scores.push_back(score);
    labels.push_back(0);
  }
  EXPECT_DOUBLE_EQ(*sensitivity_at_specificity(scores, labels, 0.9), 0.5);
  EXPECT_DOUBLE_EQ(*sensitivity_at_specificity(scores, labels, 0.91), 0.25);
  EXPECT_DOUBLE_EQ(*sensitivity_at_specificity(scores, labels, 0.8), 0.75);
  EXPECT_DOUBLE_EQ(*sensitivity_at_specificity(scores, labels, 0), 1);
  // The one threshold that there is calls every sample positive.
  EXPECT_EQ(*sensitivity_at_specificity(std::vector{1.0, 1.0}, std::vector{0, 1}, 0.9), 0);
  EXPECT_THROW((void)sensitivity_at_specificity(scores, labels, 1.1), Error);
}

TEST(BrierScoreTest, IsTheMeanSquaredError) {
  EXPECT_DOUBLE_EQ(*brier_score(std::vector{0.5, 1.0, 0.25}, std::vector{1, 1, 0}),
                   (0.25 + 0 + 0.0625) / 3);
}

TEST(CalibrationErrorTest, ComparesEachBinWithItsShareOfPositives) {
  // Bins of 1/15: 0.01 and 0.05 are in the first, 0.07 in the second, 0.95 and 1 in the last.
  const double expected = ((0.06 - 1) * -1 + 0.07 + (2 - 1.95)) / 5;
  EXPECT_NEAR(*expected_calibration_error(std::vector{0.01, 0.05, 0.07, 0.95, 1.0},
                                          std::vector{1, 0, 0, 1, 1}),
              expected, 1e-15);
  EXPECT_DOUBLE_EQ(*expected_calibration_error(std::vector{0.0, 1.0}, std::vector{0, 1}), 0);
}

TEST(NewMetricsTest, HaveNoValueWhereTheyAreNotDefined) {
  const std::vector<double> scores{0.25, 0.75};
  const std::vector<double> unknown{0.25, std::nan("")};
  for (const auto& labels : {std::vector{1, 1}, std::vector{0, 0}}) {
    EXPECT_EQ(average_precision(scores, labels), std::nullopt);
    EXPECT_EQ(sensitivity_at_specificity(scores, labels, 0.9), std::nullopt);
    EXPECT_TRUE(brier_score(scores, labels).has_value());
    EXPECT_TRUE(expected_calibration_error(scores, labels).has_value());
  }
  const std::vector<int> both{0, 1};
  EXPECT_EQ(average_precision(unknown, both), std::nullopt);
  EXPECT_EQ(sensitivity_at_specificity(unknown, both, 0.9), std::nullopt);
  EXPECT_EQ(brier_score(unknown, both), std::nullopt);
  EXPECT_EQ(expected_calibration_error(unknown, both), std::nullopt);
  EXPECT_EQ(brier_score({}, {}), std::nullopt);
  EXPECT_EQ(expected_calibration_error({}, {}), std::nullopt);
}

TEST(NewMetricsTest, RefuseWhatIsNoProbability) {
  EXPECT_THROW((void)brier_score(std::vector{1.5, 0.0}, std::vector{1, 0}), Error);
  EXPECT_THROW((void)expected_calibration_error(std::vector{-0.1, 0.0}, std::vector{1, 0}), Error);
  EXPECT_THROW((void)average_precision(std::vector{1.5}, std::vector{1, 0}), Error);
  EXPECT_THROW((void)brier_score(std::vector{0.5}, std::vector{1, 0}), Error);
}

}  // namespace
}  // namespace mpbench::stats

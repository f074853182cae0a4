#include "mpbench/stats/accuracy_verdict.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

MetricDifference with_interval(double low, double high) {
  return {.delta = (low + high) / 2,
          .standard_error = 0.01,
          .degrees_of_freedom = 8,
          .low = low,
          .high = high,
          .seeds = 5,
          .patients = 60,
          .positive_patients = 20,
          .negative_patients = 40,
          .seed_sd = 0.01};
}

AccuracyVerdict verdict(const MetricDifference& difference) {
  return accuracy_verdict(difference, 0.02, true);
}

TEST(AccuracyVerdictTest, GoesByTheIntervalAndTheMargin) {
  EXPECT_EQ(verdict(with_interval(-0.019, 0.019)), AccuracyVerdict::equivalent);
  EXPECT_EQ(verdict(with_interval(-0.019, 0.02)), AccuracyVerdict::non_inferior);
  EXPECT_EQ(verdict(with_interval(0.03, 0.05)), AccuracyVerdict::non_inferior);
  EXPECT_EQ(verdict(with_interval(-0.02, 0.01)), AccuracyVerdict::inconclusive);
  EXPECT_EQ(verdict(with_interval(-0.05, 0.05)), AccuracyVerdict::inconclusive);
  EXPECT_EQ(verdict(with_interval(-0.05, -0.02)), AccuracyVerdict::inconclusive);
  EXPECT_EQ(verdict(with_interval(-0.05, -0.021)), AccuracyVerdict::inferior);
}

TEST(AccuracyVerdictTest, TurnsRoundWhereLessIsBetter) {
  EXPECT_EQ(accuracy_verdict(with_interval(0.021, 0.05), 0.02, false), AccuracyVerdict::inferior);
  EXPECT_EQ(accuracy_verdict(with_interval(-0.05, -0.03), 0.02, false),
            AccuracyVerdict::non_inferior);
  EXPECT_EQ(accuracy_verdict(with_interval(-0.01, 0.019), 0.02, false),
            AccuracyVerdict::equivalent);
  EXPECT_EQ(accuracy_verdict(with_interval(-0.01, 0.021), 0.02, false),
            AccuracyVerdict::inconclusive);
}

TEST(AccuracyVerdictTest, WorseWithinTheMarginIsALossThatIsCertainAndSmall) {
  EXPECT_TRUE(worse_within_margin(with_interval(-0.015, -0.005), 0.02, true));
  EXPECT_TRUE(worse_within_margin(with_interval(0.005, 0.015), 0.02, false));
  EXPECT_FALSE(worse_within_margin(with_interval(0.005, 0.015), 0.02, true));
  EXPECT_FALSE(worse_within_margin(with_interval(-0.015, 0), 0.02, true));
  EXPECT_FALSE(worse_within_margin(with_interval(-0.02, -0.005), 0.02, true));
}

TEST(AccuracyVerdictTest, NeedsSeedsThatDifferAndPatients) {
  const auto changed = [](auto member, auto value) {
    MetricDifference difference = with_interval(-0.015, -0.005);
    difference.*member = value;
    return difference;
  };
  const MetricDifference enough = changed(&MetricDifference::seeds, fewest_seeds);
  EXPECT_EQ(verdict(enough), AccuracyVerdict::equivalent);
  for (const MetricDifference& lacking :
       {changed(&MetricDifference::seeds, fewest_seeds - 1), changed(&MetricDifference::seeds, 1),
        changed(&MetricDifference::positive_patients, fewest_patients - 1),
        changed(&MetricDifference::negative_patients, fewest_patients - 1),
        changed(&MetricDifference::seed_sd, 0.0), changed(&MetricDifference::low, std::nullopt)}) {
    EXPECT_EQ(verdict(lacking), AccuracyVerdict::inconclusive);
    EXPECT_FALSE(worse_within_margin(lacking, 0.02, true));
  }
}

TEST(AccuracyVerdictTest, OfManyClassesAllPatientsCount) {
  MetricDifference difference = with_interval(-0.01, 0.01);
  difference.classes = 3;
  difference.negative_patients = 4;
  EXPECT_EQ(verdict(difference), AccuracyVerdict::equivalent);
  difference.patients = fewest_patients - 1;
  EXPECT_EQ(verdict(difference), AccuracyVerdict::inconclusive);
}

TEST(AccuracyVerdictTest, RefusesWhatIsNoMargin) {
  for (const double margin : {0.0, -0.01, double{INFINITY}, std::nan("")}) {
    EXPECT_THROW((void)accuracy_verdict(with_interval(-1, 1), margin, true), UsageError);
    EXPECT_THROW((void)worse_within_margin(with_interval(-1, 1), margin, true), UsageError);
  }
}

}  // namespace
}  // namespace mpbench::stats

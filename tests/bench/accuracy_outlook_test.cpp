#include "mpbench/bench/accuracy_outlook.hpp"

#include <gmock/gmock.h>

namespace mpbench::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string outlook(int positive, int negative, int trainings, double margin = 0.01) {
  return accuracy_outlook({.positive = positive, .negative = negative, .classes = 2}, trainings,
                          margin, 0.95);
}

TEST(AccuracyOutlookTest, SaysWhatAComparisonCanDecide) {
  const std::string small = outlook(8, 92, 3);
  EXPECT_THAT(small, HasSubstr("8 positive and 92 negative patients in validation, 3 trainings"));
  EXPECT_THAT(small, HasSubstr("too few for a verdict, which needs 10 of each"));
  EXPECT_THAT(small, HasSubstr("cannot be excluded"));
  EXPECT_THAT(small, HasSubstr("margin 0.01 needs about"));
  const std::string large = outlook(2000, 50000, 20, 0.05);
  EXPECT_THAT(large, Not(HasSubstr("too few")));
  EXPECT_THAT(large, Not(HasSubstr("margin")));
}

TEST(AccuracyOutlookTest, OneTrainingProvesNothing) {
  EXPECT_THAT(outlook(100, 100, 1), HasSubstr("too few for a verdict"));
  EXPECT_THAT(outlook(100, 100, 1), Not(HasSubstr("inf")));
}

TEST(AccuracyOutlookTest, IsOfTwoClasses) {
  EXPECT_EQ(accuracy_outlook({.positive = 100, .negative = 100, .classes = 10}, 5, 0.01, 0.95), "");
}

}  // namespace
}  // namespace mpbench::bench

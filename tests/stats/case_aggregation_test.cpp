#include "mpbench/stats/case_aggregation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mpbench/core/error.hpp"

namespace mpbench::stats {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<ImageScore> views{{.case_id = "p1_L", .group = "p1", .label = 0, .score = 0.25},
                                    {.case_id = "p1_R", .group = "p1", .label = 0, .score = 0.5},
                                    {.case_id = "p1_L", .group = "p1", .label = 1, .score = 0.75},
                                    {.case_id = "p2_L", .group = "p2", .label = 0, .score = 0.125},
                                    {.case_id = "p1_L", .group = "p1", .label = 0, .score = 0.125}};

TEST(UnitScoresTest, AveragesABreastsViews) {
  const auto units = aggregate_cases(views);
  ASSERT_EQ(units.size(), 3U);
  EXPECT_EQ(units[0].first, 0U);
  EXPECT_EQ(units[0].images, 3U);
  EXPECT_EQ(units[0].label, 1);
  EXPECT_DOUBLE_EQ(units[0].score, 0.375);
  EXPECT_EQ(units[1].first, 1U);
  EXPECT_EQ(units[1].score, 0.5);
  EXPECT_EQ(units[2].first, 3U);
  EXPECT_EQ(units[2].images, 1U);
}

TEST(UnitScoresTest, TakesTheLargestScoreIfAsked) {
  const auto units = aggregate_cases(views, CaseAggregation::max);
  EXPECT_EQ(units[0].score, 0.75);
  EXPECT_EQ(units[0].label, 1);
  EXPECT_EQ(units[2].score, 0.125);
}

TEST(UnitScoresTest, ImagesWithoutAUnitStandForThemselves) {
  const std::vector<ImageScore> images{{.group = "p1", .label = 1, .score = 0.1},
                                       {.group = "p2", .label = 0, .score = 0.2}};
  const auto units = aggregate_cases(images);
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[0].score, 0.1);
  EXPECT_EQ(units[1].first, 1U);
}

TEST(UnitScoresTest, ANanScoreMakesTheUnitsNan) {
  for (const CaseAggregation scoring : {CaseAggregation::mean, CaseAggregation::max}) {
    for (const std::size_t bad : {0U, 2U, 4U}) {
      auto images = views;
      images[bad].score = std::nan("");
      const auto units = aggregate_cases(images, scoring);
      EXPECT_TRUE(std::isnan(units[0].score)) << bad;
      EXPECT_EQ(units[1].score, 0.5) << bad;
    }
  }
}

TEST(UnitScoresTest, RanksMeansThatRoundToTheSameNumber) {
  // ln of the mean's odds, by hand: with p = 1 - e for small e the odds of the mean are 2 over the
  // sum of the e.
  const auto unit = [](double a, double b) {
    const std::vector<ImageScore> images{{.case_id = "L", .group = "p", .score = 1, .logit = a},
                                         {.case_id = "L", .group = "p", .score = 1, .logit = b}};
    return aggregate_cases(images).front();
  };
  EXPECT_EQ(unit(50, 50).logit, 50);
  EXPECT_NEAR(unit(50, 60).logit, std::log(2) + 50 - std::log1p(std::exp(-10)), 1e-9);
  EXPECT_NEAR(unit(-50, -60).logit, -std::log(2) - 50 + std::log1p(std::exp(-10)), 1e-9);
  EXPECT_NEAR(unit(50, -50).logit, 0, 1e-9);
  EXPECT_NEAR(unit(1e5, 2e5).logit, std::log(2) + 1e5, 1e-9);
  EXPECT_EQ(unit(50, 60).score, 1);
}

TEST(UnitScoresTest, LogOddsAreThoseOfTheMeanWhereLogitsAreNotKnown) {
  const auto units = aggregate_cases(views);
  EXPECT_NEAR(units[0].logit, std::log(0.375 / 0.625), 1e-12);
  EXPECT_NEAR(units[2].logit, std::log(0.125 / 0.875), 1e-12);
  EXPECT_NEAR(aggregate_cases(views, CaseAggregation::max)[0].logit, std::log(3), 1e-12);
}

// Otherwise a network that says the same of every image would rank breasts by their views.
TEST(UnitScoresTest, EqualImagesMakeEqualUnits) {
  for (const double logit : {0.3, -1.7, 12.1}) {
    std::vector<ImageScore> images;
    for (int i = 0; i < 7; ++i) {
      images.push_back(
          {.case_id = i < 2 ? "a" : "b", .score = 1 / (1 + std::exp(-logit)), .logit = logit});
    }
    images.push_back({.score = images.front().score, .logit = logit});
    const auto units = aggregate_cases(images);
    for (const CaseScore& unit : units) {
      EXPECT_EQ(unit.logit, logit);
      EXPECT_EQ(unit.score, images.front().score);
    }
  }
}

TEST(UnitScoresTest, RefusesABreastOfTwoPatients) {
  const std::vector<ImageScore> images{{.case_id = "L", .group = "p1", .label = 1, .score = 0.1},
                                       {.case_id = "L", .group = "p2", .label = 0, .score = 0.2}};
  EXPECT_THAT([&] { (void)aggregate_cases(images); },
              ThrowsMessage<Error>(HasSubstr("unit L is in the groups p1 and p2")));
}

}  // namespace
}  // namespace mpbench::stats

#include "mpbench/stats/accuracy_power.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "mpbench/core/error.hpp"
#include "mpbench/stats/accuracy_verdict.hpp"

namespace mpbench::stats {
namespace {

/// Two of a hundred patients are positive.
AccuracyPlan screening(int positives, int seeds) {
  return {.positives = positives, .negatives = 49 * positives, .seeds = seeds};
}

TEST(AccuracyPowerTest, IsTheFormulasMarginWithPatientsAlone) {
  // With one score for all seeds and no chance in training only C is left: 20 - 1 degrees of
  // freedom, bounded by 2 (n - 1) = 8. Hanley and McNeil for AUC 0.5 of 20 and 20 patients:
  // (0.25 + 19 (1/3 - 1/4) + 19 (1/3 - 1/4)) / 400. t(0.975, 8) = 2.3060041, t(0.8, 8) = 0.8888895.
  const AccuracyPlan plan{.positives = 20,
                          .negatives = 20,
                          .seeds = 5,
                          .assumed_auc = 0.5,
                          .seed_sd = 0,
                          .score_correlation = 0.5,
                          .shared = 1};
  const double variance = (0.25 + 38.0 / 12) / 400;
  EXPECT_NEAR(smallest_provable_margin(plan), (2.3060041352 + 0.8888895249) * std::sqrt(variance),
              1e-9);
}

TEST(AccuracyPowerTest, IsTheFormulasMarginWithSeedsAlone) {
  // S^2 / n alone, n - 1 = 2 degrees of freedom: t(0.975, 2) = 4.3026527, t(0.9, 2) = 1.8856181.
  const AccuracyPlan plan{.positives = 20,
                          .negatives = 20,
                          .seeds = 3,
                          .seed_sd = 0.03,
                          .score_correlation = 1,
                          .seed_correlation = 0.25};
  EXPECT_NEAR(smallest_provable_margin(plan, 0.95, 0.9),
              (4.3026527297 + 1.8856180832) * std::sqrt(2 * 0.0009 * 0.75 / 3), 1e-9);
  EXPECT_NEAR(excluded_loss(plan, 0.02, 0.95, 0.9),
              0.02 + smallest_provable_margin(plan, 0.95, 0.9), 1e-15);
}

TEST(AccuracyPowerTest, HasNoMoreDegreesOfFreedomThanPatients) {
  // As the first, but 20 seeds, and half of what is an arm's own is each seed's: that is 1/21 of
  // the variance, and Satterthwaite's 19 * 441 / 401 are more than 20 - 1.
  // t(0.975, 19) = 2.0930241, t(0.8, 19) = 0.8609506.
  const AccuracyPlan plan{.positives = 20,
                          .negatives = 20,
                          .seeds = 20,
                          .assumed_auc = 0.5,
                          .seed_sd = 0,
                          .score_correlation = 0.5,
                          .shared = 0.5};
  EXPECT_NEAR(smallest_provable_margin(plan),
              (2.0930240544 + 0.8609505503) * std::sqrt(0.525 * (0.25 + 38.0 / 12) / 400), 1e-9);
}

TEST(AccuracyPowerTest, FewPatientsAndSeedsProveNothing) {
  EXPECT_EQ(smallest_provable_margin(screening(40, 1)), INFINITY);
  EXPECT_EQ(smallest_provable_margin(screening(1, 5)), INFINITY);
  EXPECT_EQ(smallest_provable_margin(AccuracyPlan{.positives = 40, .negatives = 0, .seeds = 5}),
            INFINITY);
  EXPECT_EQ(positives_needed(screening(40, 2), 0.1), std::nullopt);
  EXPECT_EQ(positives_needed(screening(0, 5), 0.1), std::nullopt);
}

TEST(AccuracyPowerTest, TheNumberOfPositivesIsTheSmallestThatWillDo) {
  for (const double margin : {0.012, 0.02, 0.03}) {
    const auto positives = positives_needed(screening(1, 8), margin);
    ASSERT_TRUE(positives.has_value());
    EXPECT_LE(smallest_provable_margin(screening(*positives, 8)), margin);
    EXPECT_GT(smallest_provable_margin(screening(*positives - 1, 8)), margin);
  }
  EXPECT_EQ(positives_needed(screening(1, 20), 1), fewest_patients);
  // Few negatives are as few as few positives: 10 of them are 30 positives.
  EXPECT_EQ(positives_needed({.positives = 3, .negatives = 1, .seeds = 20}, 1), 30);
}

TEST(AccuracyPowerTest, NoNumberOfPatientsMakesUpForFewSeeds) {
  EXPECT_EQ(positives_needed(screening(40, 5), 0.01), std::nullopt);
  EXPECT_EQ(positives_needed(screening(40, 10), 0.01), 342);
  AccuracyPlan varying = screening(40, 20);
  varying.seed_sd = 0.02;
  EXPECT_EQ(positives_needed(varying, 0.01), std::nullopt);
  EXPECT_EQ(plan_for_margin(varying, 0.01)->seeds, 100);
  // 8 seeds would do with 480 positives, but 10 need fewer in all.
  EXPECT_EQ(positives_needed(screening(40, 8), 0.01), 480);
  EXPECT_EQ(plan_for_margin(screening(40, 8), 0.01)->seeds, 10);
  varying.seed_sd = 0.05;
  EXPECT_FALSE(plan_for_margin(varying, 0.01).has_value());
}

TEST(AccuracyPowerTest, SaysWhatAPlanCanAndWhatAMarginNeeds) {
  const AccuracyPlan plan = screening(8, 3);
  const auto needed = plan_for_margin(plan, 0.01);
  ASSERT_TRUE(needed.has_value());
  EXPECT_EQ(needed->negatives, 49 * needed->positives);
  EXPECT_EQ(fmt::format("{} positives, {} seeds: a loss below {:.2f} cannot be excluded; margin "
                        "{} needs {} positives and {} seeds",
                        plan.positives, plan.seeds, excluded_loss(plan), 0.01, needed->positives,
                        needed->seeds),
            "8 positives, 3 seeds: a loss below 0.08 cannot be excluded; margin 0.01 needs 342 "
            "positives and 10 seeds");
}

TEST(AccuracyPowerTest, RefusesAssumptionsOutOfRange) {
  const auto changed = [](double AccuracyPlan::*member, double value) {
    AccuracyPlan plan = screening(20, 5);
    plan.*member = value;
    return plan;
  };
  for (const auto member : {&AccuracyPlan::assumed_auc, &AccuracyPlan::score_correlation,
                            &AccuracyPlan::shared, &AccuracyPlan::seed_correlation}) {
    for (const double value : {-0.1, 1.1, std::nan("")}) {
      EXPECT_THROW((void)smallest_provable_margin(changed(member, value)), UsageError) << value;
    }
  }
  EXPECT_THROW((void)smallest_provable_margin(changed(&AccuracyPlan::seed_sd, -1)), UsageError);
  EXPECT_THROW((void)smallest_provable_margin(screening(20, 5), 1), UsageError);
  EXPECT_THROW((void)smallest_provable_margin(screening(20, 5), 0.95, 1), UsageError);
  EXPECT_THROW((void)positives_needed(screening(20, 5), 0), UsageError);
  EXPECT_THROW((void)plan_for_margin(screening(20, 5), std::nan("")), UsageError);
}

}  // namespace
}  // namespace mpbench::stats

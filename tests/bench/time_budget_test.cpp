#include "../../src/bench/time_budget.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mpbench::bench {
namespace {

constexpr RunCost fast{.fixed_s = 2, .step_s = 0.1, .validation_s = 0.5, .steps_per_epoch = 10};
constexpr RunCost slow{.fixed_s = 4, .step_s = 0.2, .validation_s = 1, .steps_per_epoch = 10};

TEST(TimeBudgetTest, AddsAValidationForEachFurtherEpoch) {
  EXPECT_DOUBLE_EQ(run_seconds(fast, 1), 2.1);
  EXPECT_DOUBLE_EQ(run_seconds(fast, 10), 3);
  EXPECT_DOUBLE_EQ(run_seconds(fast, 11), 3.6);
  EXPECT_DOUBLE_EQ(run_seconds(fast, 30), 6);
}

TEST(TimeBudgetTest, TakesAsManyStepsAsFitAndNoMore) {
  const std::vector runs{fast, slow, fast, slow};
  for (const double budget : {13.0, 20.0, 47.3, 1000.0}) {
    const std::int64_t steps = steps_within(budget, runs, 1'000'000);
    double taken = 0;
    double one_more = 0;
    for (const RunCost& run : runs) {
      taken += run_seconds(run, steps);
      one_more += run_seconds(run, steps + 1);
    }
    EXPECT_LE(taken, budget);
    EXPECT_GT(one_more, budget);
  }
}

TEST(TimeBudgetTest, TakesNoMoreThanTheRunsHave) {
  EXPECT_EQ(steps_within(1e9, std::vector{fast, slow}, 60), 60);
}

TEST(TimeBudgetTest, SaysWhenNotEvenOneStepFits) {
  EXPECT_EQ(steps_within(6.2, std::vector{fast, slow}, 60), 0);
  EXPECT_EQ(steps_within(6.4, std::vector{fast, slow}, 60), 1);
}

}  // namespace
}  // namespace mpbench::bench

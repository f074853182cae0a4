#include "../../src/bench/session/block_plan.hpp"

#include <gmock/gmock.h>

#include <set>

namespace mpbench::bench {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;

TEST(BlockPlanTest, ABlockIsASecondOfTheBaseline) {
  const BlockPlan plan = plan_blocks(std::vector{0.01, 0.005, 0.01}, {});
  EXPECT_EQ(plan.rounds, 8);
  EXPECT_THAT(plan.steps, ElementsAre(100, 100, 100)) << "the same steps for all";
  EXPECT_NEAR(block_seconds(plan, std::vector{0.01, 0.005, 0.01}), 9 * 2 * 2.5, 1e-9);
}

TEST(BlockPlanTest, ABlockHasFiveStepsAtLeast) {
  EXPECT_THAT(plan_blocks(std::vector{2.0, 3.0}, {}).steps, ElementsAre(5, 5));
}

TEST(BlockPlanTest, ASlowArmTakesFewerSteps) {
  EXPECT_THAT(plan_blocks(std::vector{0.01, 0.08}, {}).steps, ElementsAre(100, 12));
}

TEST(BlockPlanTest, KeepsToItsBudget) {
  const std::vector<double> step_s{0.01, 0.01, 0.01};
  for (const double budget_s : {60.0, 30.0, 15.0, 8.0, 4.0, 2.0}) {
    const BlockPlan plan = plan_blocks(step_s, {.budget_s = budget_s});
    EXPECT_LE(block_seconds(plan, step_s), budget_s);
    EXPECT_GE(block_seconds(plan, step_s), 0.5 * budget_s);
    EXPECT_GE(plan.rounds, 6);
  }
  EXPECT_EQ(plan_blocks(step_s, {.budget_s = 15}).rounds, 8) << "shorter blocks come first";
  // Less than it takes at all.
  EXPECT_THAT(plan_blocks(step_s, {.budget_s = 1e-3}).steps, Each(1));
}

TEST(BlockPlanTest, EndsBeforeTheRunDoes) {
  for (std::int64_t steps = 5; steps < 4000; steps = steps * 3 / 2) {
    const BlockPlan plan = plan_blocks(std::vector{0.01, 0.02}, {.total_steps = steps});
    EXPECT_THAT(plan.steps, Each(Ge(1)));
    EXPECT_GE(plan.rounds, 1);
    EXPECT_LT(2 * (plan.rounds + 1) * plan.steps.front(), steps);
  }
}

TEST(BlockPlanTest, ARoundIsAnOrderAndItsMirror) {
  SplitMix64 random(1);
  std::set<std::vector<std::size_t>> orders;
  for (int i = 0; i < 100; ++i) {
    const auto order = round_order(3, random);
    ASSERT_EQ(order.size(), 6U);
    EXPECT_THAT(std::vector(order.begin(), order.begin() + 3),
                testing::UnorderedElementsAre(0, 1, 2));
    for (std::size_t place = 0; place < 3; ++place) EXPECT_EQ(order[place], order[5 - place]);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U) << "all orders come";
}

}  // namespace
}  // namespace mpbench::bench

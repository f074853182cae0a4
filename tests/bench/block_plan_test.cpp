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
  EXPECT_NEAR(block_seconds(plan, std::vector{0.01, 0.005, 0.01}), 8.5 * 2 * 2.5, 1e-9);
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
    EXPECT_LT((2 * plan.rounds + 1) * plan.steps.front(), steps);
  }
}

TEST(BlockPlanTest, ARoundIsAnOrderAndItsMirror) {
  SplitMix64 random(1);
  std::set<std::vector<std::size_t>> orders;
  for (int i = 0; i < 100; ++i) {
    const auto order = round_order(3, static_cast<std::size_t>(i) % 3, random);
    EXPECT_EQ(order[2], static_cast<std::size_t>(i) % 3);
    ASSERT_EQ(order.size(), 6U);
    EXPECT_THAT(std::vector(order.begin(), order.begin() + 3),
                testing::UnorderedElementsAre(0, 1, 2));
    for (std::size_t place = 0; place < 3; ++place) EXPECT_EQ(order[place], order[5 - place]);
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U) << "all orders come";
}

TEST(StartOrderTest, EveryProcessHasEveryPlaceEquallyOften) {
  for (const std::size_t processes : {1U, 2U, 3U, 4U, 7U}) {
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
      std::vector<std::vector<int>> had(processes, std::vector<int>(processes));
      const int sessions = 2 * static_cast<int>(processes);
      for (int session = 1; session <= sessions; ++session) {
        const auto order = start_order(processes, session, seed);
        ASSERT_EQ(order.size(), processes);
        for (std::size_t place = 0; place < processes; ++place) ++had[order[place]][place];
        if (session % static_cast<int>(processes) != 0) continue;
        const int times = session / static_cast<int>(processes);
        for (const auto& places : had) EXPECT_THAT(places, Each(times));
      }
    }
  }
}

TEST(StartOrderTest, OfThreeAllOrdersComeInSixSessions) {
  std::set<std::vector<std::size_t>> orders;
  std::set<std::vector<std::size_t>> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    firsts.insert(start_order(3, 1, seed));
    for (int session = 1; session <= 6; ++session) orders.insert(start_order(3, session, seed));
    EXPECT_EQ(orders.size(), 6U);
    orders.clear();
  }
  EXPECT_GT(firsts.size(), 3U) << "another seed begins elsewhere";
}

}  // namespace
}  // namespace mpbench::bench

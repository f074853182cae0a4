#include "mpbench/bench/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mpbench/bench/ladder.hpp"
#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::bench {
namespace {

Grid small_grid() {
  return {.config = {},
          .axes = {{"precision", {"fp32", "bf16", "fp16"}},
                   {"model", {"cnn"}},
                   {"batch-size", {"32"}},
                   {"image-size", {"124"}},
                   {"channels-last", {"true"}}},
          .repeats = 3};
}

/// "fp32 bf16 null", of one configuration.
std::string names(const Configuration& configuration) {
  std::string text;
  for (const Arm& arm : configuration.arms) text += (text.empty() ? "" : " ") + arm.name;
  return text;
}

void set_axis(Grid& grid, const std::string& option, std::vector<std::string> values) {
  for (Axis& axis : grid.axes) {
    if (axis.option == option) axis.values = std::move(values);
  }
}

TEST(PlanTest, AConfigurationHasTheBaselineTheArmsAndTheBaselineOnceMore) {
  const auto plan = make_plan(small_grid());
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(plan.front().name, "cnn-b32-i124-cl-s0");
  EXPECT_EQ(names(plan.front()), "fp32 bf16 fp16 null");
  const std::vector<Arm>& arms = plan.front().arms;
  EXPECT_EQ(arms[0].kind, ArmKind::baseline);
  EXPECT_EQ(arms[0].compared_with, "");
  EXPECT_EQ(arms[2].kind, ArmKind::arm);
  EXPECT_EQ(arms[2].compared_with, "fp32");
  EXPECT_EQ(arms[3].kind, ArmKind::null);
  EXPECT_EQ(arms[3].compared_with, "fp32");
  EXPECT_EQ(arms[3].config.precision, Precision::fp32);
}

TEST(PlanTest, EveryCombinationOnceWithAnIdOfItsOwn) {
  Grid grid = small_grid();
  set_axis(grid, "model", {"cnn", "resnet18"});
  set_axis(grid, "batch-size", {"8", "32"});
  set_axis(grid, "image-size", {"0", "124"});
  set_axis(grid, "channels-last", {"false", "true"});
  const auto plan = make_plan(grid);
  EXPECT_EQ(plan.size(), 2U * 2 * 2 * 2);
  std::set<std::string> ids;
  for (const Configuration& configuration : plan) {
    ASSERT_EQ(configuration.arms.size(), 4U);
    for (const Arm& arm : configuration.arms) {
      ids.insert(arm.id);
      const train::TrainConfig& baseline = configuration.arms.front().config;
      EXPECT_EQ(arm.config.model.name, baseline.model.name);
      EXPECT_EQ(arm.config.batch_size, baseline.batch_size);
      EXPECT_EQ(arm.config.image_size, baseline.image_size);
      EXPECT_EQ(arm.config.channels_last, baseline.channels_last);
    }
  }
  EXPECT_EQ(ids.size(), plan.size() * 4);
}

TEST(PlanTest, IdsReadAsTheirValues) {
  Grid grid = small_grid();
  const auto id = [&](std::size_t arm) { return make_plan(grid).front().arms[arm].id; };
  EXPECT_EQ(id(1), "cnn-b32-i124-cl-s0-bf16");
  EXPECT_EQ(id(3), "cnn-b32-i124-cl-s0-null");
  set_axis(grid, "channels-last", {"false"});
  set_axis(grid, "image-size", {"0"});
  EXPECT_EQ(id(1), "cnn-b32-inative-s0-bf16");
  EXPECT_EQ(make_run(grid, make_plan(grid).front().arms[1], 2).run_id,
            "cnn-b32-inative-s0-bf16-r2");
}

TEST(PlanTest, AnyOptionCanBeAnAxis) {
  Grid grid = small_grid();
  grid.axes.push_back({"optimizer", {"adam", "sgd"}});
  grid.axes.push_back({"lr", {"0.1", "1e-3"}});
  const auto plan = make_plan(grid);
  ASSERT_EQ(plan.size(), 2U * 2);
  EXPECT_EQ(plan[0].arms[0].id, "cnn-b32-i124-cl-s0-optimizeradam-lr0.1-fp32");
  EXPECT_EQ(plan[3].arms[0].id, "cnn-b32-i124-cl-s0-optimizersgd-lr0.001-fp32");
  EXPECT_EQ(plan[3].arms[0].config.optimizer.kind, train::OptimizerKind::sgd);
  EXPECT_EQ(plan[3].arms[0].config.optimizer.lr, 1e-3);
  // What does nothing in a run is at its default there.
  grid.axes.back() = {"momentum", {"0.5", "0.6"}};
  EXPECT_THROW(make_plan(grid), UsageError) << "momentum does nothing with adam";
  grid.axes.back() = {"learning-rate", {"1"}};
  EXPECT_THROW(make_plan(grid), UsageError);
}

TEST(PlanTest, TheArmsCanDifferInAnyOption) {
  Grid grid = small_grid();
  grid.arm_option = "threads";
  grid.axes.push_back({"threads", {"2", "1"}});
  const auto plan = make_plan(grid);
  ASSERT_EQ(plan.size(), 3U) << "a precision each";
  EXPECT_EQ(plan[1].name, "cnn-b32-i124-cl-s0-bf16");
  EXPECT_EQ(names(plan[1]), "threads=2 threads=1 null");
  EXPECT_EQ(plan[1].arms[1].id, "cnn-b32-i124-cl-s0-bf16-threads1");
  EXPECT_EQ(plan[1].arms[1].config.threads, 1);
  EXPECT_EQ(plan[1].arms[2].config.threads, 2);
}

TEST(PlanTest, AnotherBuildIsAnArmOfTheSameOptions) {
  Grid grid = small_grid();
  grid.other_program = "/opt/mpbench";
  const auto plan = make_plan(grid);
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(names(plan.front()), "fp32 other null");
  const std::vector<Arm>& arms = plan.front().arms;
  EXPECT_EQ(arms[0].program, "");
  EXPECT_EQ(arms[1].program, "/opt/mpbench");
  EXPECT_EQ(make_run(grid, arms[1], 1).program, "/opt/mpbench");
}

TEST(PlanTest, ALadderChangesOneFactorAfterAnother) {
  Grid grid = small_grid();
  make_ladder(grid, LadderOrder::forward, /*on_cuda=*/false, Precision::bf16);
  const auto plan = make_plan(grid);
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(names(plan.front()), "fp32 channels-last=true bf16 batch-size=64 null");
  const std::vector<Arm>& arms = plan.front().arms;
  EXPECT_FALSE(arms[0].config.channels_last);
  EXPECT_EQ(arms[2].compared_with, "channels-last=true");
  EXPECT_TRUE(arms[3].config.channels_last);
  EXPECT_EQ(arms[3].config.precision, Precision::bf16);
  EXPECT_EQ(arms[3].config.batch_size, 64);

  Grid on_cuda = small_grid();
  make_ladder(on_cuda, LadderOrder::forward, /*on_cuda=*/true, Precision::fp16);
  on_cuda.config.device = "cuda";
  EXPECT_EQ(names(make_plan(on_cuda).front()),
            "fp32 tf32 channels-last=true fp16 batch-size=64 cuda-graph=true null");
  make_ladder(on_cuda, LadderOrder::reverse, /*on_cuda=*/true, Precision::fp16);
  EXPECT_EQ(names(make_plan(on_cuda).front()),
            "fp32 cuda-graph=true batch-size=64 fp16 channels-last=true null");
}

TEST(PlanTest, EachRepeatHasItsOwnSeedAndTheNullArmAnother) {
  Grid grid = small_grid();
  grid.seeds = {5};
  EXPECT_EQ(seed_of(grid, ArmKind::baseline, 1), 5U);
  EXPECT_EQ(seed_of(grid, ArmKind::arm, 3), 7U);
  grid.seeds = {4, 9, 2};
  std::set<std::uint64_t> seeds;
  for (int repeat = 1; repeat <= 3; ++repeat) {
    EXPECT_EQ(seed_of(grid, ArmKind::arm, repeat),
              grid.seeds[static_cast<std::size_t>(repeat) - 1]);
    seeds.insert(seed_of(grid, ArmKind::arm, repeat));
    seeds.insert(seed_of(grid, ArmKind::null, repeat));
    EXPECT_LE(seed_of(grid, ArmKind::null, repeat), train::largest_seed);
  }
  EXPECT_EQ(seeds.size(), 6U);
  const Arm& arm = make_plan(grid).front().arms.front();
  EXPECT_EQ(make_run(grid, arm, 2).config.seed, 9U);
  EXPECT_EQ(make_run(grid, arm, 2).config.split.seed, 0U) << "the split is the same for all";
}

TEST(PlanTest, AnIdWithoutItsRepeatIsThatOfTheConfiguration) {
  EXPECT_EQ(without_repeat("cnn-b32-i124-cl-s0-bf16-r12"), "cnn-b32-i124-cl-s0-bf16");
}

template <class Change>
std::string refusal(Change change) {
  Grid grid = small_grid();
  change(grid);
  const auto error = thrown_by<UsageError>([&] { make_plan(grid); });
  return error ? error->what() : "accepted";
}

TEST(PlanTest, RefusesWhatMakesNoPlan) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal([](Grid& grid) {
                set_axis(grid, "precision", {"fp32", "fp32"});
              }),
              HasSubstr("precision: fp32 is listed twice"));
  EXPECT_THAT(refusal([](Grid& grid) { grid.seeds = {}; }), HasSubstr("seed: the list is empty"));
  EXPECT_THAT(refusal([](Grid& grid) {
                grid.seeds = {1, 2, 1};
              }),
              HasSubstr("a seed is listed twice"));
  EXPECT_THAT(refusal([](Grid& grid) {
                grid.seeds = {1, 2};
              }),
              HasSubstr("--repeats 3: more than there are seeds (2)"));
  EXPECT_THAT(refusal([](Grid& grid) {
                set_axis(grid, "channels-last", {"true", "true"});
              }),
              HasSubstr("listed twice"));
  EXPECT_THAT(refusal([](Grid& grid) {
                set_axis(grid, "batch-size", {"8", "0"});
              }),
              HasSubstr("--batch-size"));
  EXPECT_THAT(refusal([](Grid& grid) { set_axis(grid, "image-size", {"-1"}); }),
              HasSubstr("--image-size"));
  EXPECT_THAT(refusal([](Grid& grid) { grid.repeats = 0; }), HasSubstr("repeats"));
  EXPECT_THAT(refusal([](Grid& grid) { grid.repeats = 2000000000; }), HasSubstr("10000 runs"));
  EXPECT_THAT(refusal([](Grid& grid) { set_axis(grid, "model", {"../cnn"}); }),
              HasSubstr("'../cnn' is not a valid name"));
  EXPECT_THAT(refusal([](Grid& grid) { set_axis(grid, "model", {""}); }),
              HasSubstr("not a valid name"));
}

}  // namespace
}  // namespace mpbench::bench

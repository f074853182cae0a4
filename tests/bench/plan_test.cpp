#include "mpbench/bench/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::bench {
namespace {

using testing::ElementsAre;

Grid small_grid() {
  return {.config = {},
          .axes = {{"precision", {"fp32", "bf16", "fp16"}},
                   {"model", {"cnn"}},
                   {"batch-size", {"32"}},
                   {"image-size", {"124"}},
                   {"channels-last", {"true"}},
                   {"seed", {"0"}}},
          .repeats = 3};
}

void set_axis(Grid& grid, const std::string& option, std::vector<std::string> values) {
  for (Axis& axis : grid.axes) {
    if (axis.option == option) axis.values = std::move(values);
  }
}

TEST(PlanTest, RotatesTheArmsOverTheRepeats) {
  std::vector<std::string> order;
  for (const RunSpec& spec : make_plan(small_grid())) {
    order.emplace_back(to_string(spec.config.precision));
  }
  EXPECT_THAT(order,
              ElementsAre("fp32", "bf16", "fp16", "bf16", "fp16", "fp32", "fp16", "fp32", "bf16"));
}

TEST(PlanTest, EveryCombinationOnceWithAnIdOfItsOwn) {
  Grid grid = small_grid();
  set_axis(grid, "model", {"cnn", "resnet18"});
  set_axis(grid, "batch-size", {"8", "32"});
  set_axis(grid, "image-size", {"0", "124"});
  set_axis(grid, "channels-last", {"false", "true"});
  set_axis(grid, "seed", {"0", "9223372036854775807"});
  const auto plan = make_plan(grid);
  EXPECT_EQ(plan.size(), 3U * 2 * 2 * 2 * 2 * 2 * 3);
  std::set<std::string> ids;
  for (const RunSpec& spec : plan) ids.insert(spec.run_id);
  EXPECT_EQ(ids.size(), plan.size());
  // A repeat is finished before the next begins, and the runs that are compared follow one another.
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].repeat, static_cast<int>(1 + i / (plan.size() / 3)));
    const RunSpec& first_arm = plan[i - i % 3];
    EXPECT_EQ(plan[i].config.model.name, first_arm.config.model.name);
    EXPECT_EQ(plan[i].config.batch_size, first_arm.config.batch_size);
    EXPECT_EQ(plan[i].config.image_size, first_arm.config.image_size);
    EXPECT_EQ(plan[i].config.channels_last, first_arm.config.channels_last);
    EXPECT_EQ(plan[i].config.seed, first_arm.config.seed);
  }
}

TEST(PlanTest, IdsReadAsTheirValues) {
  train::TrainConfig config;
  config.precision = Precision::bf16;
  config.model.name = "cnn";
  config.batch_size = 32;
  config.image_size = 124;
  config.channels_last = true;
  EXPECT_EQ(make_run_id(config, 2), "cnn-b32-i124-cl-s0-bf16-r2");
  config.channels_last = false;
  config.image_size = 0;
  EXPECT_EQ(make_run_id(config, 2), "cnn-b32-inative-s0-bf16-r2");
}

TEST(PlanTest, AnyOptionCanBeAnAxis) {
  Grid grid = small_grid();
  grid.axes.push_back({"optimizer", {"adam", "sgd"}});
  grid.axes.push_back({"lr", {"0.1", "1e-3"}});
  const auto plan = make_plan(grid);
  ASSERT_EQ(plan.size(), 3U * 2 * 2 * 3);
  EXPECT_EQ(plan[0].run_id, "cnn-b32-i124-cl-s0-optimizeradam-lr0.1-fp32-r1");
  EXPECT_EQ(plan[9].run_id, "cnn-b32-i124-cl-s0-optimizersgd-lr0.001-fp32-r1");
  EXPECT_EQ(plan[9].config.optimizer.kind, train::OptimizerKind::sgd);
  EXPECT_EQ(plan[9].config.optimizer.lr, 1e-3);
  // What does nothing in a run is at its default there.
  grid.axes.back() = {"momentum", {"0.5", "0.6"}};
  EXPECT_THROW(make_plan(grid), UsageError) << "momentum does nothing with adam";
  grid.axes.back() = {"learning-rate", {"1"}};
  EXPECT_THROW(make_plan(grid), UsageError);
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
  EXPECT_THAT(refusal([](Grid& grid) { set_axis(grid, "seed", {}); }),
              HasSubstr("seed: the list is empty"));
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

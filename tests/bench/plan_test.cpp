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

Axes small_axes() {
  return {.precision = {"fp32", "bf16", "fp16"},
          .model = {"cnn"},
          .batch_size = {32},
          .image_size = {124},
          .channels_last = {true},
          .seed = {0},
          .repeats = 3};
}

TEST(PlanTest, RotatesTheArmsOverTheRepeats) {
  std::vector<std::string> order;
  for (const RunSpec& spec : make_plan(small_axes())) order.push_back(spec.precision);
  EXPECT_THAT(order,
              ElementsAre("fp32", "bf16", "fp16", "bf16", "fp16", "fp32", "fp16", "fp32", "bf16"));
}

TEST(PlanTest, EveryCombinationOnceWithAnIdOfItsOwn) {
  Axes axes = small_axes();
  axes.model = {"cnn", "resnet18"};
  axes.batch_size = {8, 32};
  axes.image_size = {0, 124};
  axes.channels_last = {false, true};
  axes.seed = {0, 18446744073709551615U};
  const auto plan = make_plan(axes);
  EXPECT_EQ(plan.size(), 3U * 2 * 2 * 2 * 2 * 2 * 3);
  std::set<std::string> ids;
  for (const RunSpec& spec : plan) ids.insert(spec.run_id);
  EXPECT_EQ(ids.size(), plan.size());
  // A repeat is finished before the next begins, and the runs that are compared follow one another.
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].repeat, static_cast<int>(1 + i / (plan.size() / 3)));
    const RunSpec& first_arm = plan[i - i % 3];
    EXPECT_EQ(plan[i].model, first_arm.model);
    EXPECT_EQ(plan[i].batch_size, first_arm.batch_size);
    EXPECT_EQ(plan[i].image_size, first_arm.image_size);
    EXPECT_EQ(plan[i].channels_last, first_arm.channels_last);
    EXPECT_EQ(plan[i].seed, first_arm.seed);
  }
}

TEST(PlanTest, IdsReadAsTheirValues) {
  RunSpec spec{.precision = "bf16",
               .model = "cnn",
               .batch_size = 32,
               .image_size = 124,
               .channels_last = true,
               .seed = 0,
               .repeat = 2,
               .run_id = {}};
  EXPECT_EQ(make_run_id(spec), "cnn-b32-i124-cl-s0-bf16-r2");
  spec.channels_last = false;
  spec.image_size = 0;
  EXPECT_EQ(make_run_id(spec), "cnn-b32-inative-s0-bf16-r2");
}

template <class Change>
std::string refusal(Change change) {
  Axes axes = small_axes();
  change(axes);
  const auto error = thrown_by<UsageError>([&] { make_plan(axes); });
  return error ? error->what() : "accepted";
}

TEST(PlanTest, RefusesWhatMakesNoPlan) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal([](Axes& a) {
                a.precision = {"fp32", "fp32"};
              }),
              HasSubstr("precision: fp32 is listed twice"));
  EXPECT_THAT(refusal([](Axes& a) { a.seed = {}; }), HasSubstr("seed: the list is empty"));
  EXPECT_THAT(refusal([](Axes& a) { a.channels_last = {true, true}; }), HasSubstr("listed twice"));
  EXPECT_THAT(refusal([](Axes& a) { a.batch_size = {8, 0}; }), HasSubstr("--batch-size"));
  EXPECT_THAT(refusal([](Axes& a) { a.image_size = {-1}; }), HasSubstr("--image-size"));
  EXPECT_THAT(refusal([](Axes& a) { a.repeats = 0; }), HasSubstr("repeats"));
  EXPECT_THAT(refusal([](Axes& a) { a.repeats = 2000000000; }), HasSubstr("10000 runs"));
  EXPECT_THAT(refusal([](Axes& a) { a.model = {"../cnn"}; }), HasSubstr("'../cnn' is no name"));
  EXPECT_THAT(refusal([](Axes& a) { a.model = {""}; }), HasSubstr("no name"));
}

}  // namespace
}  // namespace mpbench::bench

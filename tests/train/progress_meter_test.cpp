#include "../../src/train/progress_meter.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace mpbench::train {
namespace {

TEST(ProgressMeterTest, TellsTheRateOfLate) {
  std::vector<Progress> told;
  const ProgressFunction progress = [&](const Progress& one) { told.push_back(one); };
  ProgressMeter meter(progress, {.label = "epoch 1/2", .total = 100, .unit = "images"});
  meter.report(10, 10, 1, "loss 1");
  EXPECT_EQ(told.back().units_per_s, 10);
  meter.report(30, 20, 1, "loss 0.5");
  EXPECT_DOUBLE_EQ(told.back().units_per_s, 11) << "a tenth of the way to 20";
  EXPECT_EQ(told.back().label, "epoch 1/2");
  EXPECT_EQ(told.back().done, 30);
  EXPECT_EQ(told.back().total, 100);
  EXPECT_EQ(told.back().detail, "loss 0.5");
}

TEST(ProgressMeterTest, TellsNobodyWhereNobodyAsked) {
  const ProgressFunction nobody;
  ProgressMeter meter(nobody, {});
  EXPECT_NO_THROW(meter.report(1, 1, 1, ""));
}

}  // namespace
}  // namespace mpbench::train

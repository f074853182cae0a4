#include "mpbench/train/trainer.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "mpbench/core/interrupt.hpp"
#include "train/toy_images.hpp"

namespace mpbench::train {
namespace {

TrainConfig small_config(Precision precision = Precision::fp32) {
  return {
      .batch_size = 8, .epochs = 4, .precision = precision, .device = "cpu", .init_scale = 1024};
}

TEST(TrainerTest, LearnsAnEasySetInEveryPrecision) {
  const data::ImageSet images = toy_images(96);
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::fp16}) {
    Trainer trainer(small_config(precision), images);
    while (!trainer.finished()) (void)trainer.train_epoch({});
    const ValidationResult result = trainer.validate({});
    EXPECT_GT(result.auc.value_or(0), 0.95) << to_string(precision);
    EXPECT_EQ(result.predictions.size(), trainer.split().validation.size());
  }
}

TEST(TrainerTest, WarmUpLeavesNoTraceInTheResult) {
  const data::ImageSet images = toy_images(64);
  const auto losses = [&](int warmup_steps) {
    TrainConfig config = small_config();
    config.warmup_steps = warmup_steps;
    Trainer trainer(config, images);
    const auto first_step_s = trainer.warm_up();
    EXPECT_EQ(first_step_s.has_value(), warmup_steps > 0);
    std::vector<double> seen;
    while (!trainer.finished()) seen.push_back(trainer.train_epoch({}).train_loss);
    seen.push_back(trainer.validate({}).loss);
    return seen;
  };
  EXPECT_EQ(losses(0), losses(5));
}

TEST(TrainerTest, StepsLimitEndsTheRunInMidEpoch) {
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config();
  config.steps = 11;
  Trainer trainer(config, images);
  std::int64_t steps = 0;
  while (!trainer.finished()) {
    const EpochResult epoch = trainer.train_epoch({});
    EXPECT_EQ(static_cast<std::int64_t>(epoch.step_s.size()), epoch.steps);
    steps += epoch.steps;
  }
  EXPECT_EQ(steps, 11);
}

TEST(TrainerTest, StopsBetweenStepsWhenAsked) {
  const data::ImageSet images = toy_images(96);
  Trainer trainer(small_config(), images);
  const EpochResult epoch = trainer.train_epoch([](const Progress&) { request_interrupt(); });
  request_interrupt(false);
  EXPECT_FALSE(epoch.complete);
  EXPECT_EQ(epoch.steps, 1);
}

TEST(TrainerTest, ANotFiniteLossNamesItsStep) {
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config();
  config.lr = 1e30;
  Trainer trainer(config, images);
  try {
    while (!trainer.finished()) (void)trainer.train_epoch({});
    FAIL() << "a learning rate of 1e30 must diverge";
  } catch (const Diverged& error) {
    EXPECT_NE(std::string(error.what()).find("at step"), std::string::npos) << error.what();
  }
}

TEST(TrainerTest, SkippedStepsAreCounted) {
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config(Precision::fp16);
  config.init_scale = 1e30;
  Trainer trainer(config, images);
  const EpochResult epoch = trainer.train_epoch({});
  EXPECT_GT(epoch.skipped_steps, 0);
  EXPECT_LT(epoch.loss_scale.value(), 1e30);
}

}  // namespace
}  // namespace mpbench::train

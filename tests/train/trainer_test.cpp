#include "mpbench/train/trainer.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>

#include "mpbench/core/interrupt.hpp"
#include "temporary_folder.hpp"
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

TEST(TrainerTest, VariesTrainingImagesAndNeverThoseOfValidation) {
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config();
  Trainer plain(config, images);
  config.augment = {.flip = true, .degrees = 90, .shift = 0.3, .zoom = 0.3, .brightness = 0.3};
  Trainer varied(config, images);
  EXPECT_EQ(plain.validate({}).loss, varied.validate({}).loss) << "both networks are as they began";
  EXPECT_NE(plain.train_epoch({}).train_loss, varied.train_epoch({}).train_loss);
}

TEST(TrainerTest, ValidatesEveryImageInOneFold) {
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config();
  config.folds = 3;
  std::vector<std::int64_t> seen;
  for (config.fold = 0; config.fold < config.folds; ++config.fold) {
    const Trainer trainer(config, images);
    const auto& validation = trainer.split().validation;
    EXPECT_EQ(validation.size(), 32U);
    seen.insert(seen.end(), validation.begin(), validation.end());
  }
  std::sort(seen.begin(), seen.end());
  for (std::int64_t i = 0; i < 96; ++i) EXPECT_EQ(seen.at(static_cast<std::size_t>(i)), i);
}

TEST(TrainerTest, SplitsAsAFileSays) {
  const TemporaryFolder folder;
  const data::ImageSet images = toy_images(96);
  TrainConfig config = small_config();
  config.folds = 4;
  config.fold = 2;
  const data::Split made = Trainer(config, images).split();
  config.seed = 7;
  EXPECT_NE(Trainer(config, images).split().validation, made.validation);
  config.split = folder.path() / "split.csv";
  data::write_split_csv(config.split, images.samples, made);
  EXPECT_EQ(Trainer(config, images).split().validation, made.validation) << "by its column fold";
  config.fold = 1;
  EXPECT_NE(Trainer(config, images).split().validation, made.validation) << "another fold of it";
  config.folds = config.fold = 0;
  EXPECT_EQ(Trainer(config, images).split().validation, made.validation) << "by its column split";
}

TEST(TrainerTest, DoesNotFoldASetThatHasASplitOfItsOwn) {
  data::ImageSet images = toy_images(96);
  images.given_split = data::grouped_stratified_split(images.samples, 0.5, 0);
  TrainConfig config = small_config();
  config.folds = 2;
  EXPECT_THROW(Trainer(config, images), UsageError);
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

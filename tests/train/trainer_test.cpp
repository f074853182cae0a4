#include "mpbench/train/trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "mpbench/core/interrupt.hpp"
#include "support/matchers.hpp"
#include "support/temporary_folder.hpp"
#include "support/toy_images.hpp"
#include "support/train_epoch.hpp"

namespace mpbench::train {
namespace {

TrainConfig small_config(Precision precision = Precision::fp32) {
  return {.batch_size = 8,
          .epochs = 4,
          .precision = precision,
          .device = "cpu",
          .scaler = {.init_scale = 1024}};
}

TEST(TrainerTest, LearnsAnEasySetInEveryPrecision) {
  const data::ImageDataset images = toy_images(96);
  for (const auto precision : {Precision::fp32, Precision::bf16, Precision::fp16}) {
    Trainer trainer(small_config(precision), images);
    while (!trainer.finished()) (void)train_epoch(trainer);
    const ValidationResult result = trainer.validate({});
    EXPECT_GT(result.auc.value_or(0), 0.95) << to_string(precision);
    EXPECT_EQ(result.predictions.size(), trainer.split().validation.size());
  }
}

TEST(TrainerTest, WarmUpLeavesNoTraceInTheResult) {
  const data::ImageDataset images = toy_images(64);
  const auto losses = [&](TrainConfig config, int warmup_steps) {
    config.warmup_steps = warmup_steps;
    Trainer trainer(config, images);
    const auto first_step_s = trainer.warm_up();
    EXPECT_EQ(first_step_s.has_value(), warmup_steps > 0);
    std::vector<double> seen;
    while (!trainer.finished()) seen.push_back(train_epoch(trainer).train_loss);
    seen.push_back(trainer.validate({}).loss);
    return seen;
  };
  EXPECT_EQ(losses(small_config(), 0), losses(small_config(), 5));
  // Every kind of state that a step leaves: momentum, averages, a scale that has backed off.
  TrainConfig config = small_config(Precision::fp16);
  config.optimizer.kind = OptimizerKind::sgd;
  config.optimizer.momentum = 0.9;
  config.ema_decay = 0.9;
  config.scaler.init_scale = 1e30;
  config.scaler.growth_interval = 3;
  EXPECT_EQ(losses(config, 0), losses(config, 5));
}

TEST(TrainerTest, AStepThatOverflowedIsSeenInValidation) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.optimizer.lr = 1e37;  // the loss is computed before the weights change
  config.steps = 1;
  Trainer trainer(config, images);
  (void)trainer.train_steps(1, {});
  EXPECT_THAT([&] { (void)trainer.validate({}); },
              ThrowsWith<Diverged>("not finite", "in the validation after epoch 1, step 1"))
      << "weights of 1e37 have no output";
}

TEST(TrainerTest, CountsTheParametersThatTrain) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  const std::int64_t all = Trainer(config, images).parameters();
  config.freeze_backbone = true;
  const std::int64_t head = Trainer(config, images).parameters();
  EXPECT_LT(head, all / 10);
  config.unfreeze_epoch = config.epochs;
  EXPECT_EQ(Trainer(config, images).parameters(), all) << "the last epoch trains all";
  config.unfreeze_epoch = config.epochs + 1;
  EXPECT_EQ(Trainer(config, images).parameters(), head);
}

TEST(TrainerTest, VariesTrainingImagesAndNeverThoseOfValidation) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  Trainer plain(config, images);
  config.augment = {.flip = true, .degrees = 90, .shift = 0.3, .zoom = 0.3, .brightness = 0.3};
  Trainer varied(config, images);
  EXPECT_EQ(plain.validate({}).loss, varied.validate({}).loss) << "both networks are as they began";
  EXPECT_NE(train_epoch(plain).train_loss, train_epoch(varied).train_loss);
}

TEST(TrainerTest, ValidatesEveryImageInOneFold) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.split.folds = 3;
  std::vector<std::int64_t> seen;
  for (config.split.fold = 0; config.split.fold < config.split.folds; ++config.split.fold) {
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
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.split.folds = 4;
  config.split.fold = 2;
  const data::Split made = Trainer(config, images).split();
  config.split.seed = 7;
  EXPECT_NE(Trainer(config, images).split().validation, made.validation);
  config.split.file = folder.path() / "split.csv";
  data::write_split_csv(config.split.file, images.samples, made);
  EXPECT_EQ(Trainer(config, images).split().validation, made.validation) << "by its column fold";
  config.split.fold = 1;
  EXPECT_NE(Trainer(config, images).split().validation, made.validation) << "another fold of it";
  config.split.folds = config.split.fold = 0;
  EXPECT_EQ(Trainer(config, images).split().validation, made.validation) << "by its column split";
}

TEST(TrainerTest, DoesNotFoldASetThatHasASplitOfItsOwn) {
  data::ImageDataset images = toy_images(96);
  images.given_split = data::grouped_stratified_split(images.samples, 0.5, 0);
  TrainConfig config = small_config();
  config.split.folds = 2;
  EXPECT_THROW(Trainer(config, images), UsageError);
}

std::string refusal(const TrainConfig& config, const data::ImageDataset& images) {
  const auto error = thrown_by<UsageError>([&] { (void)Trainer(config, images); });
  return error ? error->what() : "accepted";
}

TEST(TrainerTest, RefusesOptionsThatDoNotGoWithTheImages) {
  using testing::HasSubstr;
  const data::ImageDataset images = toy_images(96);
  data::ImageDataset three = images;
  three.classes = {"a", "b", "c"};
  data::ImageDataset negatives = images;
  for (auto& sample : negatives.samples) sample.label = 0;
  data::ImageDataset split = images;
  split.given_split = data::grouped_stratified_split(images.samples, 0.5, 0);
  for (const Balance balance : {Balance::positives, Balance::weight}) {
    TrainConfig config = small_config();
    config.balance = balance;
    EXPECT_EQ(refusal(config, images), "accepted");
    EXPECT_THAT(refusal(config, three), HasSubstr("--balance"));
    EXPECT_THAT(refusal(config, negatives), HasSubstr("--balance"));
  }
  TrainConfig config = small_config();
  EXPECT_EQ(refusal(config, three), "accepted");
  EXPECT_THAT(refusal(config, negatives), HasSubstr("--balance auto"));
  config.focal_alpha = 0.5;
  config.loss.kind = LossKind::focal;
  EXPECT_THAT(refusal(config, three), HasSubstr("--focal-alpha"));
  config = small_config();
  config.split.validation_fraction = 0.5;
  EXPECT_THAT(refusal(config, split), HasSubstr("--validation-fraction"));
  config = small_config();
  config.model.name = "resnet18";
  config.batch_size = 1;
  EXPECT_THAT(refusal(config, images), HasSubstr("--batch-size 1")) << "images of 16 x 16";
  config = small_config();
  data::ImageDataset small = images;
  small.height = small.width = 8;
  small.pixels = images.pixels.subspan(0, images.pixels.size() / 4);
  EXPECT_THAT(refusal(config, small), HasSubstr("--image-size"));
}

TEST(TrainerTest, CountsThePositivesThatItTrainsOn) {
  data::ImageDataset images = toy_images(96);
  for (std::size_t i = 0; i < images.samples.size(); ++i) images.samples[i].label = i < 12 ? 1 : 0;
  TrainConfig config = small_config();
  for (const auto& [balance, batch_size, least, most] :
       std::vector<std::tuple<Balance, int, double, double>>{{Balance::none, 1, 0.1, 0.15},
                                                             {Balance::positives, 1, 0.5, 0.51},
                                                             {Balance::positives, 4, 0.25, 0.25},
                                                             {Balance::weight, 1, 0.1, 0.15}}) {
    config.balance = balance;
    config.batch_size = batch_size;
    const EpochResult epoch = train_epoch(Trainer(config, images));
    const double share =
        static_cast<double>(epoch.positives.value()) / static_cast<double>(epoch.images);
    EXPECT_GE(share, least) << enum_name(balance) << batch_size;
    EXPECT_LE(share, most) << enum_name(balance) << batch_size;
  }
  images.classes = {"a", "b", "c"};
  config.balance = Balance::automatic;
  EXPECT_FALSE(train_epoch(Trainer(config, images)).positives.has_value());
}

TEST(TrainerTest, StepsLimitEndsTheRunInMidEpoch) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.steps = 11;
  Trainer trainer(config, images);
  std::int64_t steps = 0;
  while (!trainer.finished()) {
    const EpochResult epoch = train_epoch(trainer);
    EXPECT_EQ(static_cast<std::int64_t>(epoch.step_s.size()), epoch.steps);
    steps += epoch.steps;
  }
  EXPECT_EQ(steps, 11);
}

TEST(TrainerTest, StopsBetweenStepsWhenAsked) {
  const data::ImageDataset images = toy_images(96);
  Trainer trainer(small_config(), images);
  const EpochResult epoch = train_epoch(trainer, [](const Progress&) { request_interrupt(); });
  request_interrupt(false);
  EXPECT_FALSE(epoch.complete);
  EXPECT_EQ(epoch.steps, 1);
}

TEST(TrainerTest, ANotFiniteLossNamesItsStep) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.optimizer.lr = 1e30;
  Trainer trainer(config, images);
  const auto train = [&] {
    while (!trainer.finished()) (void)train_epoch(trainer);
  };
  EXPECT_THAT(train, ThrowsWith<Diverged>("at step")) << "a learning rate of 1e30 must diverge";
}

TEST(TrainerTest, SkippedStepsAreCounted) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config(Precision::fp16);
  config.scaler.init_scale = 1e30;
  Trainer trainer(config, images);
  const EpochResult epoch = train_epoch(trainer);
  EXPECT_GT(epoch.skipped_steps, 0);
  EXPECT_EQ(trainer.skipped_steps(), epoch.skipped_steps);
  EXPECT_LT(epoch.loss_scale.value(), 1e30);
  EXPECT_EQ(Trainer(small_config(), images).skipped_steps(), 0) << "no scaler, no skipped step";
}

TEST(TrainerTest, AHandicapLengthensEachStepAndChangesNoResult) {
  const data::ImageDataset images = toy_images(96);
  Trainer plain(small_config(), images);
  TrainConfig config = small_config();
  config.handicap = 2;
  Trainer slow(config, images);
  const EpochResult expected = train_epoch(plain);
  const EpochResult result = train_epoch(slow);
  EXPECT_EQ(result.train_loss, expected.train_loss);
  // The shortest steps are those that nothing else on the machine has lengthened.
  EXPECT_GT(std::ranges::min(result.step_s), 1.2 * std::ranges::min(expected.step_s))
      << "three times as long, give or take what else runs";
}

TEST(TrainerTest, EndsARunThatOverflowsForLong) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config(Precision::fp16);
  config.scaler.init_scale = 1e38;
  config.stall_steps = 6;
  config.epochs = 20;
  Trainer trainer(config, images);
  const auto train = [&] {
    while (!trainer.finished()) (void)train_epoch(trainer);
  };
  EXPECT_THAT(train, testing::ThrowsMessage<Diverged>(
                         "stalled: each of the 6 steps up to step 6 overflowed"))
      << "six steps in a row overflow";
}

TEST(TrainerTest, BlocksOfStepsComeToTheSameAsAnEpoch) {
  const data::ImageDataset images = toy_images(96);
  Trainer whole(small_config(), images);
  const EpochResult expected = train_epoch(whole);
  Trainer blocks(small_config(), images);
  EXPECT_FALSE(blocks.epoch_open());
  int calls = 0;
  for (; !blocks.at_epoch_end(); ++calls) {
    EXPECT_LE(blocks.train_steps(2, {}).steps, 2);
    EXPECT_TRUE(blocks.epoch_open());
  }
  EXPECT_EQ(blocks.train_steps(2, {}).steps, 0) << "the epoch has to be finished first";
  const EpochResult result = blocks.finish_epoch();
  EXPECT_EQ(calls, static_cast<int>((expected.steps + 1) / 2));
  EXPECT_EQ(result.steps, expected.steps);
  EXPECT_EQ(result.images, expected.images);
  EXPECT_EQ(result.train_loss, expected.train_loss);
  EXPECT_EQ(result.train_accuracy, expected.train_accuracy);
  EXPECT_EQ(static_cast<std::int64_t>(result.step_s.size()), expected.steps);
  EXPECT_EQ(blocks.validate({}).loss, whole.validate({}).loss);
}

TEST(TrainerTest, TwoTrainersInTurnsDoNotDisturbOneAnother) {
  const data::ImageDataset images = toy_images(96);
  const auto alone = [&](Precision precision) {
    Trainer trainer(small_config(precision), images);
    (void)train_epoch(trainer);
    return trainer.validate({}).loss;
  };
  Trainer a(small_config(Precision::fp32), images);
  Trainer b(small_config(Precision::bf16), images);
  while (!a.at_epoch_end() || !b.at_epoch_end()) {
    (void)a.train_steps(3, {});
    (void)b.train_steps(3, {});
  }
  EXPECT_EQ(a.validate({}).loss, alone(Precision::fp32));
  EXPECT_EQ(b.validate({}).loss, alone(Precision::bf16));
}

TEST(TrainerTest, AccumulatesBatchesIntoFewerSteps) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  const std::int64_t batches = train_epoch(Trainer(config, images)).steps;
  config.accumulate = 4;
  Trainer trainer(config, images);
  const EpochResult epoch = train_epoch(trainer);
  EXPECT_EQ(epoch.steps, (batches + 3) / 4);
  EXPECT_EQ(epoch.images, batches * config.batch_size) << "the last step takes what is left";
}

TEST(TrainerTest, ValidatesTheAveragedWeights) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  Trainer plain(config, images);
  config.ema_decay = 0.5;
  Trainer averaged(config, images);
  EXPECT_EQ(train_epoch(plain).train_loss, train_epoch(averaged).train_loss);
  EXPECT_NE(plain.validate({}).loss, averaged.validate({}).loss);
  EXPECT_EQ(train_epoch(plain).train_loss, train_epoch(averaged).train_loss)
      << "validation puts the trained weights back";
}

TEST(TrainerTest, AFrozenBackboneStaysAsItIsUntilItsEpoch) {
  const data::ImageDataset images = toy_images(96);
  TrainConfig config = small_config();
  config.freeze_backbone = true;
  config.unfreeze_epoch = 2;
  Trainer trainer(config, images);
  const auto before = trainer.checkpoint().tensors;
  (void)train_epoch(trainer);
  const auto frozen = trainer.checkpoint().tensors;
  for (const char* name : {"features.0.weight", "features.1.running_mean", "features.1.bias"})
    EXPECT_TRUE(torch::equal(before.at(name), frozen.at(name))) << name;
  EXPECT_FALSE(torch::equal(before.at("classifier.weight"), frozen.at("classifier.weight")));
  (void)train_epoch(trainer);
  const auto trained = trainer.checkpoint().tensors;
  for (const char* name : {"features.0.weight", "features.1.running_mean", "features.1.bias"})
    EXPECT_FALSE(torch::equal(frozen.at(name), trained.at(name))) << name;
}

}  // namespace
}  // namespace mpbench::train

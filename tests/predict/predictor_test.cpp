#include "mpbench/predict/predictor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "mpbench/core/error.hpp"
#include "mpbench/core/interrupt.hpp"
#include "mpbench/train/trainer.hpp"
#include "support/matchers.hpp"
#include "support/toy_images.hpp"
#include "support/train_epoch.hpp"

namespace mpbench::predict {

using train::toy_images;
using train::TrainConfig;
using train::Trainer;
namespace {

TrainConfig config(Precision precision = Precision::fp32) {
  return {.batch_size = 8,
          .epochs = 2,
          .precision = precision,
          .device = "cpu",
          .scaler = {.init_scale = 1024}};
}

PredictOptions as_trained(const LoadedModel& network) {
  return {.precision = network.precision,
          .batch_size = network.batch_size,
          .channels_last = network.channels_last,
          .depthwise = network.depthwise};
}

TEST(PredictorTest, SaysWhatTheRunsValidationSaid) {
  const data::ImageDataset images = toy_images(48);
  for (const auto& [model, precision] : {std::pair{"cnn", Precision::fp32},
                                         {"cnn", Precision::fp16},
                                         {"efficientnet-b0", Precision::bf16}}) {
    TrainConfig run = config(precision);
    run.model.name = model;
    run.steps = 2;
    run.ema_decay = 0.5;
    Trainer trainer(run, images);
    while (!trainer.finished()) train::train_epoch(trainer);
    const auto validation = trainer.validate({});
    LoadedModel network = load_model(trainer.checkpoint(), "c");
    EXPECT_EQ(network.precision, precision);
    const Predictions found =
        predict(network, images, trainer.split().validation, as_trained(network), {});
    ASSERT_EQ(found.indices, trainer.split().validation);
    for (std::size_t i = 0; i < found.indices.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      EXPECT_EQ(found.at(row, 1), validation.predictions[i].score);
      EXPECT_EQ(found.logits[i], validation.predictions[i].logit);
      EXPECT_EQ(found.predicted[i], validation.predictions[i].predicted);
      EXPECT_DOUBLE_EQ(found.at(row, 0) + found.at(row, 1), 1);
    }
    LoadedModel plain = load_model(trainer.checkpoint(), "c", /*averaged=*/false);
    EXPECT_FALSE(
        torch::equal(predict(plain, images, found.indices, as_trained(plain), {}).probabilities,
                     found.probabilities));
  }
}

TEST(PredictorTest, KeepsTheOrderAndDoesNotDependOnWorkersOrBatches) {
  const data::ImageDataset images = toy_images(20);
  LoadedModel network = load_model(Trainer(config(), images).checkpoint(), "c");
  std::vector<std::int64_t> backwards;
  for (std::int64_t i = 19; i >= 0; --i) backwards.push_back(i);
  PredictOptions options = as_trained(network);
  const Predictions one = predict(network, images, backwards, options, {});
  EXPECT_EQ(one.indices, backwards);
  options.batch_size = 3;
  options.workers = 3;
  options.channels_last = false;
  Progress last;
  const Predictions other =
      predict(network, images, backwards, options, [&](const Progress& now) { last = now; });
  EXPECT_TRUE(torch::allclose(one.probabilities, other.probabilities, 1e-5, 1e-6));
  EXPECT_EQ(last.done, 20);
  EXPECT_EQ(last.total, 20);
  const Predictions forwards = predict(network, images, {0}, options, {});
  EXPECT_NEAR(forwards.at(0, 1), one.at(19, 1), 1e-6);
}

TEST(PredictorTest, RefusesWhatIsNoProbability) {
  const data::ImageDataset images = toy_images(12);
  LoadedModel network = load_model(Trainer(config(), images).checkpoint(), "c");
  const torch::NoGradGuard no_grad;
  network.model->parameters().back().fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(
      [&] {
        (void)predict(network, images, {5, 6}, as_trained(network), {});
      },
      ThrowsWith<Error>("output for image 5 is not a finite number"));
}

TEST(PredictorTest, StopsWhenAskedTo) {
  const data::ImageDataset images = toy_images(12);
  LoadedModel network = load_model(Trainer(config(), images).checkpoint(), "c");
  request_interrupt();
  EXPECT_THROW((void)predict(network, images, {0, 1}, as_trained(network), {}), Interrupted);
  request_interrupt(false);
}

}  // namespace
}  // namespace mpbench::predict

#include "mpbench/bench/runner.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "mpbench/bench/meters.hpp"
#include "mpbench/core/interrupt.hpp"
#include "support/toy_images.hpp"

namespace mpbench::bench {
namespace {

train::TrainConfig small_config() {
  return {.batch_size = 8, .epochs = 2, .device = "cpu", .scaler = {.init_scale = 1024}};
}

TEST(RunnerTest, FillsTheRecordOfAFinishedRun) {
  const data::ImageDataset images = train::toy_images(64);
  int told = 0;
  const RunOutput output = run_training(
      small_config(), images, {.run_id = "r", .on_epoch = [&](const RunOutput&) { ++told; }});
  EXPECT_EQ(output.run.status, RunStatus::ok) << output.run.error;
  EXPECT_EQ(told, 2);
  ASSERT_EQ(output.epochs.size(), 2U);
  EXPECT_EQ(output.epochs[1].epoch, 2);
  EXPECT_EQ(*output.run.n_train + *output.run.n_val, 64);
  EXPECT_EQ(static_cast<std::int64_t>(output.predictions.size()), *output.run.n_val);
  EXPECT_GT(*output.run.images_per_s, 0);
  EXPECT_GT(*output.run.step_ms_median, 0);
  EXPECT_GE(*output.run.train_time_s, 1e-3 * *output.run.step_ms_median);
  EXPECT_GT(*output.run.peak_rss_bytes, 1 << 20);
  EXPECT_FALSE(output.run.peak_device_bytes.has_value());
  EXPECT_FALSE(output.run.skipped_steps.has_value()) << "no scaler, so nothing was measured";
  EXPECT_EQ(output.run.val_auc, output.epochs.back().val_auc);
}

TEST(RunnerTest, KeepsFinishedEpochsOfAnInterruptedRun) {
  const data::ImageDataset images = train::toy_images(64);
  const RunOutput output =
      run_training(small_config(), images,
                   {.run_id = "r", .on_epoch = [](const RunOutput&) { request_interrupt(); }});
  request_interrupt(false);
  EXPECT_EQ(output.run.status, RunStatus::interrupted);
  EXPECT_EQ(output.epochs.size(), 1U);
  EXPECT_EQ(output.run.epochs, 1);
}

TEST(RunnerTest, ADivergedRunSaysWhere) {
  train::TrainConfig config = small_config();
  config.optimizer.lr = 1e30;
  config.epochs = 5;
  const RunOutput output = run_training(config, train::toy_images(64), {.run_id = "r"});
  EXPECT_EQ(output.run.status, RunStatus::diverged);
  EXPECT_NE(output.run.error.find("step"), std::string::npos);
}

TEST(RunnerTest, WeightsThatOverflowInTheLastStepAreNoResult) {
  train::TrainConfig config = small_config();
  config.optimizer.lr = 1e37;
  config.steps = 1;
  const RunOutput output = run_training(config, train::toy_images(64), {.run_id = "r"});
  EXPECT_EQ(output.run.status, RunStatus::diverged);
  EXPECT_NE(output.run.error.find("after epoch 1, step 1"), std::string::npos) << output.run.error;
  EXPECT_TRUE(output.predictions.empty());
  EXPECT_EQ(output.run.val_accuracy, std::nullopt);
  EXPECT_EQ(output.run.best_epoch, std::nullopt);
  EXPECT_EQ(output.run.steps, 1) << "it was trained, and the time was spent";
  ASSERT_EQ(output.epochs.size(), 1U);
  EXPECT_EQ(output.epochs.front().val_loss, std::nullopt);
}

TEST(RunnerTest, AnEpochThatWasCutShortIsNotComplete) {
  train::TrainConfig config = small_config();
  config.steps = 8;  // of 6 an epoch
  const RunOutput output = run_training(config, train::toy_images(64), {.run_id = "r"});
  EXPECT_EQ(output.run.status, RunStatus::ok) << output.run.error;
  EXPECT_EQ(output.run.steps, 8);
  EXPECT_EQ(output.epochs.size(), 2U);
  EXPECT_EQ(output.run.epochs, 1);
}

TEST(RunnerTest, ValidationIsNotMeasuredAsTraining) {
  train::TrainConfig config = small_config();
  config.steps = 1;
  config.warmup_steps = 0;
  config.split.validation_fraction = 0.95;
  const data::ImageDataset images = train::toy_images(4000);
  const double before = cpu_time_s();
  const RunOutput output = run_training(config, images, {.run_id = "r"});
  const double whole = cpu_time_s() - before;
  EXPECT_LT(output.run.cpu_time_s.value(), 0.5 * whole);
}

EpochRecord judged_epoch(int epoch, std::optional<double> auc, double accuracy, double loss = 0.5) {
  return {.epoch = epoch, .val_loss = loss, .val_accuracy = accuracy, .val_auc = auc};
}

TEST(BestEpochTest, ComparesEpochsByOneMetricAlone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto best = [](const std::vector<EpochRecord>& epochs) { return best_epoch(epochs); };
  EXPECT_EQ(best({}), 0);
  EXPECT_EQ(best({judged_epoch(1, 0.7, 0.5), judged_epoch(2, 0.8, 0.4)}), 2);
  EXPECT_EQ(best({judged_epoch(1, 0.7, 0.5), judged_epoch(2, 0.7, 0.4)}), 1);
  // An accuracy of 0.98 is no AUC of 0.98, and an epoch whose loss is NaN is none at all.
  EXPECT_EQ(best({judged_epoch(1, 0.7, 0.5), judged_epoch(2, {}, 0.98)}), 1);
  EXPECT_EQ(best({judged_epoch(1, {}, 0.98), judged_epoch(2, 0.7, 0.5)}), 2);
  EXPECT_EQ(best({judged_epoch(1, {}, 0.98, nan), judged_epoch(2, {}, 0.5)}), 2);
  EXPECT_EQ(best({judged_epoch(1, nan, 0.98), judged_epoch(2, 0.5, 0.5)}), 2);
  EXPECT_EQ(best({judged_epoch(1, {}, 0.98, nan)}), 0);
}

}  // namespace
}  // namespace mpbench::bench

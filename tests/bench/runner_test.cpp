#include "mpbench/bench/runner.hpp"

#include <gtest/gtest.h>

#include "mpbench/core/interrupt.hpp"
#include "train/toy_images.hpp"

namespace mpbench::bench {
namespace {

train::TrainConfig small_config() {
  return {.batch_size = 8, .epochs = 2, .device = "cpu", .init_scale = 1024};
}

TEST(RunnerTest, FillsTheRecordOfAFinishedRun) {
  const data::ImageSet images = train::toy_images(64);
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
  const data::ImageSet images = train::toy_images(64);
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
  config.lr = 1e30;
  config.epochs = 5;
  const RunOutput output = run_training(config, train::toy_images(64), {.run_id = "r"});
  EXPECT_EQ(output.run.status, RunStatus::diverged);
  EXPECT_NE(output.run.error.find("step"), std::string::npos);
}

}  // namespace
}  // namespace mpbench::bench

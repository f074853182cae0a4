#include "../../src/bench/training_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpbench/bench/runner.hpp"
#include "mpbench/core/interrupt.hpp"
#include "support/event_records.hpp"
#include "support/temporary_folder.hpp"
#include "support/toy_images.hpp"

namespace mpbench::bench {
namespace {

using tensorboard::last_values;
using tensorboard::read_events;
using tensorboard::ReadEvent;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

class TrainingEventsTest : public testing::Test {
 protected:
  RunOutput run(const RunOptions& more = {}) {
    RunOptions options = more;
    options.run_id = "r";
    options.tensorboard = folder_ / "tensorboard";
    return run_training(config_, images_, options);
  }
  std::vector<ReadEvent> events() const {
    return read_events(folder_ / "tensorboard/events.out.tfevents.0000000001.mpbench");
  }

  TemporaryFolder folder_;
  data::ImageDataset images_ = train::toy_images(64);
  train::TrainConfig config_{
      .batch_size = 8, .epochs = 2, .device = "cpu", .scaler = {.init_scale = 1024}};
};

std::map<std::int64_t, float> curve(const std::vector<ReadEvent>& events, const std::string& tag) {
  std::map<std::int64_t, float> points;
  for (const ReadEvent& event : events) {
    for (const auto& value : event.values) {
      if (value.tag == tag) points[event.step] = value.scalar.value();
    }
  }
  return points;
}

TEST_F(TrainingEventsTest, SayWhatTheRecordsSay) {
  const RunOutput output = run();
  ASSERT_EQ(output.run.status, RunStatus::ok) << output.run.error;
  const auto all = events();
  const std::int64_t steps = output.run.steps.value();
  const auto train_loss = curve(all, "epoch/train_loss");
  const auto val_loss = curve(all, "epoch/val_loss");
  ASSERT_EQ(output.epochs.size(), 2U);
  for (const EpochRecord& epoch : output.epochs) {
    const std::int64_t step = epoch.epoch * steps / 2;
    EXPECT_FLOAT_EQ(train_loss.at(step), static_cast<float>(epoch.train_loss.value()));
    EXPECT_FLOAT_EQ(val_loss.at(step), static_cast<float>(epoch.val_loss.value()));
  }
  EXPECT_FLOAT_EQ(curve(all, "epoch/val_pf1").at(steps),
                  static_cast<float>(output.run.val_pf1.value()));
  EXPECT_EQ(curve(all, "epoch/values_not_finite").at(steps), 0);
  EXPECT_THAT(curve(all, "step/loss"), Contains(Key(steps))) << "the epoch's end has a point";
  EXPECT_GT(curve(all, "step/ms").at(steps), 0);
  const auto values = last_values(all);
  EXPECT_THAT(values, Not(Contains(Key("step/loss_scale")))) << "there is no scaler";
  for (const char* tag :
       {"weights/classifier.weight", "gradients/classifier.weight", "epoch/step_ms", "config",
        "_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"}) {
    EXPECT_THAT(values, Contains(Key(tag)));
  }
  EXPECT_THAT(values.at("config").tensor, HasSubstr(train::to_toml(config_)));
  EXPECT_THAT(values, Contains(Key(testing::StartsWith("crops/8 "))));
  EXPECT_THAT(values, Not(Contains(Key(testing::StartsWith("crops/9 ")))));
}

TEST_F(TrainingEventsTest, ChangeNothingOfTheRun) {
  const RunOutput with = run();
  const RunOutput without = run_training(config_, images_, {.run_id = "r"});
  EXPECT_EQ(with.run.train_loss, without.run.train_loss);
  EXPECT_EQ(with.run.val_loss, without.run.val_loss);
  EXPECT_EQ(with.run.config_hash, without.run.config_hash);
}

TEST_F(TrainingEventsTest, LeaveOutGradientsOfASkippedStep) {
  config_.precision = Precision::fp16;
  config_.scaler.init_scale = 1e30;  // far too large for all of the run
  const RunOutput output = run();
  ASSERT_EQ(output.run.status, RunStatus::ok) << output.run.error;
  const std::int64_t steps = output.run.steps.value();
  ASSERT_EQ(output.run.skipped_steps, steps);
  const auto all = events();
  EXPECT_EQ(curve(all, "step/skipped_steps").at(steps), static_cast<float>(steps));
  EXPECT_FLOAT_EQ(curve(all, "step/loss_scale").at(steps),
                  static_cast<float>(output.run.final_loss_scale.value()));
  const auto values = last_values(all);
  EXPECT_THAT(values, Contains(Key("weights/classifier.weight")));
  EXPECT_THAT(values, Not(Contains(Key("gradients/classifier.weight"))));
}

TEST_F(TrainingEventsTest, AreThereUpToWhereARunDiverged) {
  config_.optimizer.lr = 1e30;
  const RunOutput output = run();
  ASSERT_EQ(output.run.status, RunStatus::diverged);
  const auto values = last_values(events());
  EXPECT_THAT(values, Contains(Key("step/loss"))) << "of the steps before";
  EXPECT_THAT(values, Contains(Key("_hparams_/session_end_info")));
}

TEST_F(TrainingEventsTest, AreThereOfAnEpochThatCannotBeJudged) {
  config_.optimizer.lr = 1e37;
  config_.steps = 1;
  const RunOutput output = run();
  ASSERT_EQ(output.run.status, RunStatus::diverged);
  const auto all = events();
  EXPECT_THAT(curve(all, "epoch/values_not_finite"), Contains(Key(1)));
  EXPECT_THAT(last_values(all), Not(Contains(Key("epoch/val_loss")))) << "it was not judged";
}

TEST_F(TrainingEventsTest, OfAnInterruptedRunHaveNoEnd) {
  const RunOutput output = run({.on_epoch = [](const RunOutput&) { request_interrupt(); }});
  request_interrupt(false);
  ASSERT_EQ(output.run.status, RunStatus::interrupted);
  const auto values = last_values(events());
  EXPECT_THAT(values, Contains(Key("_hparams_/session_start_info")));
  EXPECT_THAT(values, Not(Contains(Key("_hparams_/session_end_info")))) << "it may go on";
}

TEST_F(TrainingEventsTest, OfARunWithoutValidationHaveNone) {
  const RunOutput output = run({.validated = false});
  ASSERT_EQ(output.run.status, RunStatus::ok) << output.run.error;
  const auto values = last_values(events());
  EXPECT_THAT(values, Contains(Key("epoch/train_loss")));
  EXPECT_THAT(values, Not(Contains(Key("epoch/val_loss"))));
}

}  // namespace
}  // namespace mpbench::bench

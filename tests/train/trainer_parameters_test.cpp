#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "mpbench/train/trainer.hpp"
#include "support/toy_images.hpp"
#include "support/train_epoch.hpp"

namespace mpbench::train {
namespace {

TrainConfig tiny_config(Precision precision = Precision::fp32) {
  return {.batch_size = 8,
          .epochs = 2,
          .precision = precision,
          .device = "cpu",
          .scaler = {.init_scale = 1024}};
}

struct Values {
  std::vector<float> weights;
  std::vector<float> gradient;
};

std::map<std::string, Values> parameters_of(const Trainer& trainer) {
  std::map<std::string, Values> all;
  trainer.visit_parameters([&](const std::string& name, std::span<const float> weights,
                               std::span<const float> gradient) {
    all[name] = {{weights.begin(), weights.end()}, {gradient.begin(), gradient.end()}};
  });
  return all;
}

double largest(const std::vector<float>& values) {
  double found = 0;
  for (const float value : values) found = std::max(found, std::abs(static_cast<double>(value)));
  return found;
}

std::vector<float> sorted(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST(TrainerParametersTest, WeightsAreThoseOfTheState) {
  const data::ImageDataset images = toy_images(64);
  Trainer trainer(tiny_config(), images);
  (void)train_epoch(trainer);
  const Checkpoint state = trainer.checkpoint();
  const auto parameters = parameters_of(trainer);
  ASSERT_GT(parameters.size(), 4U);
  for (const auto& [name, values] : parameters) {
    const torch::Tensor kept = state.tensors.at(name).contiguous();
    const auto* begin = kept.const_data_ptr<float>();
    EXPECT_EQ(sorted(values.weights), sorted({begin, begin + kept.numel()})) << name;
    EXPECT_EQ(values.gradient.size(), values.weights.size()) << name;
  }
}

TEST(TrainerParametersTest, ThereAreNoGradientsBeforeAStep) {
  const data::ImageDataset images = toy_images(64);
  Trainer trainer(tiny_config(), images);
  trainer.warm_up();
  for (const auto& [name, values] : parameters_of(trainer)) {
    EXPECT_TRUE(values.gradient.empty()) << name;
  }
}

TEST(TrainerParametersTest, GradientsAreNotMultipliedByTheScale) {
  const data::ImageDataset images = toy_images(64);
  for (const OptimizerKind optimizer : {OptimizerKind::adam, OptimizerKind::sgd}) {
    for (const double clip_norm : {0.0, 1e6}) {
      const auto gradients_at = [&](double scale) {
        TrainConfig config = tiny_config(Precision::fp16);
        config.optimizer.kind = optimizer;
        config.clip_norm = clip_norm;
        config.scaler.init_scale = scale;
        config.scaler.growth_interval = 1;  // the scale is another one after each step
        Trainer trainer(config, images);
        (void)trainer.train_steps(1, {});
        EXPECT_EQ(trainer.skipped_steps(), 0);
        return parameters_of(trainer);
      };
      const auto small = gradients_at(64);
      const auto large = gradients_at(1024);
      int compared = 0;
      for (const auto& [name, values] : small) {
        const double expected = largest(values.gradient);
        if (expected < 1e-3) continue;  // mostly rounding
        EXPECT_NEAR(largest(large.at(name).gradient), expected, 0.2 * expected) << name;
        ++compared;
      }
      EXPECT_GT(compared, 3);
    }
  }
}

TEST(TrainerParametersTest, AStepThatIsSkippedHasNoGradients) {
  const data::ImageDataset images = toy_images(64);
  TrainConfig config = tiny_config(Precision::fp16);
  config.scaler.init_scale = 1e30;
  Trainer trainer(config, images);
  (void)trainer.train_steps(1, {});
  ASSERT_EQ(trainer.skipped_steps(), 1);
  for (const auto& [name, values] : parameters_of(trainer)) {
    EXPECT_TRUE(values.gradient.empty()) << name;
    EXPECT_FALSE(values.weights.empty()) << name;
  }
}

TEST(TrainerParametersTest, AFrozenBackboneHasNoGradients) {
  const data::ImageDataset images = toy_images(64);
  TrainConfig config = tiny_config();
  config.freeze_backbone = true;
  Trainer trainer(config, images);
  (void)trainer.train_steps(1, {});
  std::int64_t with_gradients = 0;
  for (const auto& [name, values] : parameters_of(trainer)) {
    with_gradients += values.gradient.empty() ? 0 : 1;
  }
  EXPECT_EQ(with_gradients, 2) << "the head's weights and bias";
}

TEST(TrainerWindowsTest, TellTheLossOfEachStep) {
  const data::ImageDataset images = toy_images(64);
  std::vector<StepWindow> windows;
  Trainer trainer(tiny_config(), images);
  trainer.warm_up();
  trainer.on_window([&](const StepWindow& window) { windows.push_back(window); });
  while (!trainer.finished()) {
    windows.clear();
    const std::int64_t before = trainer.steps_done();
    const EpochResult epoch = train_epoch(trainer);
    double loss_sum = 0;
    double step_s = 0;
    std::int64_t steps = 0;
    for (const StepWindow& window : windows) {
      steps += window.steps;
      loss_sum += window.loss_sum;
      step_s += window.step_s;
      EXPECT_EQ(window.steps_done, before + steps);
      EXPECT_FALSE(window.loss_scale.has_value());
    }
    ASSERT_EQ(steps, epoch.steps);
    EXPECT_EQ(windows.back().lr, epoch.lr);
    EXPECT_NEAR(loss_sum / static_cast<double>(steps), epoch.train_loss, 1e-9);
    EXPECT_GT(step_s, 0);
    EXPECT_LE(step_s, epoch.time_s);
  }
}

TEST(TrainerWindowsTest, GoOnWithinAnEpochFromAState) {
  const data::ImageDataset images = toy_images(64);
  Trainer first(tiny_config(), images);
  (void)first.train_steps(2, {});
  const Checkpoint state = first.checkpoint();
  std::vector<double> losses;
  first.on_window([&](const StepWindow& window) { losses.push_back(window.loss_sum); });
  (void)first.train_steps(2, {});
  std::vector<double> again;
  Trainer second(tiny_config(), images);
  second.restore(state, "state");
  second.on_window([&](const StepWindow& window) { again.push_back(window.loss_sum); });
  (void)second.train_steps(2, {});
  ASSERT_EQ(losses.size(), 2U);
  EXPECT_EQ(again, losses);
}

TEST(TrainerWindowsTest, TellTheScaleAndTheSkippedSteps) {
  const data::ImageDataset images = toy_images(64);
  TrainConfig config = tiny_config(Precision::fp16);
  config.scaler.init_scale = 1e30;
  std::vector<StepWindow> windows;
  Trainer trainer(config, images);
  trainer.on_window([&](const StepWindow& window) { windows.push_back(window); });
  (void)trainer.train_steps(2, {});
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_FLOAT_EQ(static_cast<float>(windows[1].loss_scale.value()), 0.25e30F);
  EXPECT_EQ(windows[1].skipped_steps, 2);
}

}  // namespace
}  // namespace mpbench::train

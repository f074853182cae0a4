#include "mpbench/amp/grad_scaler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::amp {
namespace {

using ::testing::HasSubstr;
using ::testing::Property;
using ::testing::ThrowsMessage;

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Counts its steps and keeps the last AmpScaling; subtracts nothing.
class RecordingOptimizer : public ScalableOptimizer {
 public:
  explicit RecordingOptimizer(bool fused = false, std::vector<at::Tensor> params = {at::zeros({2})})
      : fused_(fused), params_(std::move(params)) {}

  const std::vector<at::Tensor>& parameters() override { return params_; }
  bool supports_amp_scaling() const override { return fused_; }
  void step(const AmpScaling* scaling) override {
    ++steps;
    last_scaling = scaling == nullptr ? AmpScaling{} : *scaling;
  }

  void set_gradient(const at::Tensor& gradient, std::size_t index = 0) {
    params_.at(index).mutable_grad() = gradient;
  }
  at::Tensor gradient(std::size_t index = 0) const { return params_.at(index).grad(); }

  int steps = 0;
  AmpScaling last_scaling;

 private:
  bool fused_;
  std::vector<at::Tensor> params_;
};

GradScalerOptions options_with(double scale, std::int64_t interval = 2000) {
  GradScalerOptions options;
  options.init_scale = scale;
  options.growth_interval = interval;
  return options;
}

/// One iteration with this gradient; returns what step() said.
StepOutcome iterate(GradScaler& scaler, RecordingOptimizer& optimizer, float gradient) {
  (void)scaler.scale(at::ones({}));
  optimizer.set_gradient(at::full({2}, gradient));
  const StepOutcome outcome = scaler.step(optimizer);
  scaler.update();
  return outcome;
}

TEST(GradScalerTest, HasPythonsDefaults) {
  const GradScaler scaler;
  EXPECT_EQ(scaler.get_scale(), 65536.0);
  EXPECT_EQ(scaler.growth_factor(), 2.0);
  EXPECT_EQ(scaler.backoff_factor(), 0.5);
  EXPECT_EQ(scaler.growth_interval(), 2000);
  EXPECT_EQ(scaler.get_growth_tracker(), 0);
}

TEST(GradScalerTest, ScalesTheLossInItsGraph) {
  GradScaler scaler(options_with(8.0));
  const at::Tensor x = at::ones({}).requires_grad_();
  scaler.scale(x * 3).backward();
  EXPECT_EQ(x.grad().item<float>(), 24.0F);
}

TEST(GradScalerTest, ScalesAListOfOutputs) {
  GradScaler scaler(options_with(4.0));
  const auto scaled = scaler.scale(std::vector<at::Tensor>{at::ones({}), at::full({2}, 3.0)});
  EXPECT_EQ(scaled[0].item<float>(), 4.0F);
  EXPECT_TRUE(scaled[1].equal(at::full({2}, 12.0)));
}

TEST(GradScalerTest, UnscalesTheGradientsBeforeTheStep) {
  GradScaler scaler(options_with(4.0));
  RecordingOptimizer optimizer;
  EXPECT_EQ(iterate(scaler, optimizer, 12.0F), StepOutcome::stepped);
  EXPECT_TRUE(optimizer.gradient().equal(at::full({2}, 3.0F)));
  EXPECT_EQ(optimizer.steps, 1);
}

TEST(GradScalerTest, HalvesScaleOnInf) {
  GradScaler scaler(options_with(8.0));
  RecordingOptimizer optimizer;
  EXPECT_EQ(iterate(scaler, optimizer, inf), StepOutcome::skipped);
  EXPECT_EQ(scaler.get_scale(), 4.0);
  EXPECT_EQ(optimizer.steps, 0);
  EXPECT_EQ(scaler.skipped_steps(), 1);
}

TEST(GradScalerTest, HalvesScaleOnNan) {
  GradScaler scaler(options_with(8.0));
  RecordingOptimizer optimizer;
  EXPECT_EQ(iterate(scaler, optimizer, nan), StepOutcome::skipped);
  EXPECT_EQ(scaler.get_scale(), 4.0);
}

TEST(GradScalerTest, GrowsAfterTheIntervalAndStartsAgainAfterInf) {
  GradScaler scaler(options_with(8.0, 3));
  RecordingOptimizer optimizer;
  std::vector<double> scales;
  std::vector<std::int64_t> trackers;
  for (const float gradient : {1.0F, 1.0F, inf, 1.0F, 1.0F, 1.0F, 1.0F}) {
    (void)iterate(scaler, optimizer, gradient);
    scales.push_back(scaler.get_scale());
    trackers.push_back(scaler.get_growth_tracker());
  }
  EXPECT_EQ(scales, (std::vector<double>{8, 8, 4, 4, 4, 8, 8}));
  EXPECT_EQ(trackers, (std::vector<std::int64_t>{1, 2, 0, 1, 2, 0, 1}));
}

TEST(GradScalerTest, FusedStepLeavesTheDecisionToTheKernel) {
  GradScaler scaler(options_with(4.0));
  RecordingOptimizer optimizer(/*fused=*/true);
  EXPECT_EQ(iterate(scaler, optimizer, 12.0F), StepOutcome::unknown_until_synchronised);
  EXPECT_TRUE(optimizer.gradient().equal(at::full({2}, 12.0F))) << "the kernel unscales";
  EXPECT_EQ(optimizer.last_scaling.grad_scale.item<float>(), 4.0F);
  EXPECT_EQ(optimizer.last_scaling.found_inf.item<float>(), 0.0F);
  EXPECT_EQ(scaler.skipped_steps(), 0);

  EXPECT_EQ(iterate(scaler, optimizer, inf), StepOutcome::unknown_until_synchronised);
  EXPECT_EQ(optimizer.last_scaling.found_inf.item<float>(), 1.0F);
  EXPECT_EQ(optimizer.steps, 2);
  EXPECT_EQ(scaler.skipped_steps(), 1);
  EXPECT_EQ(scaler.get_scale(), 2.0);
}

TEST(GradScalerTest, TensorsOnTheDeviceHoldWhatTheReadersTell) {
  GradScaler scaler(options_with(4.0));
  EXPECT_THROW((void)scaler.scale_on_device(), Error);
  for (const bool fused : {true, false}) {
    RecordingOptimizer optimizer(fused);
    for (const float gradient : {inf, 1.0F, nan}) (void)iterate(scaler, optimizer, gradient);
  }
  EXPECT_EQ(scaler.skipped_steps(), 4);
  EXPECT_EQ(scaler.skipped_steps_on_device().item<double>(), 4);
  EXPECT_EQ(scaler.scale_on_device().item<double>(), 0.25);
  scaler.reset(8);
  EXPECT_EQ(scaler.skipped_steps_on_device().item<double>(), 0);
  EXPECT_EQ(scaler.scale_on_device().item<double>(), 8);
}

TEST(GradScalerTest, FusedStepOnAGpuReadsNothingBack) {
  SKIP_WITHOUT_CUDA();
  GradScaler scaler(options_with(8));
  RecordingOptimizer optimizer(/*fused=*/true, {at::zeros({2}, at::kCUDA)});
  for (const float value : {1.0F, inf}) {
    (void)scaler.scale(at::ones({}, at::kCUDA));
    optimizer.set_gradient(at::full({2}, value, at::kCUDA));
    EXPECT_EQ(scaler.step(optimizer), StepOutcome::unknown_until_synchronised);
    EXPECT_TRUE(optimizer.last_scaling.found_inf.is_cuda());
    scaler.update();
  }
  EXPECT_EQ(scaler.skipped_steps(), 1);
  EXPECT_EQ(scaler.get_scale(), 4);
}

TEST(GradScalerTest, FusedStepAfterUnscalePassesNoScale) {
  GradScaler scaler(options_with(4.0));
  RecordingOptimizer optimizer(/*fused=*/true);
  (void)scaler.scale(at::ones({}));
  optimizer.set_gradient(at::full({2}, 12.0F));
  scaler.unscale_(optimizer);
  EXPECT_TRUE(optimizer.gradient().equal(at::full({2}, 3.0F)));
  (void)scaler.step(optimizer);
  EXPECT_FALSE(optimizer.last_scaling.grad_scale.defined());
  EXPECT_EQ(optimizer.last_scaling.found_inf.item<float>(), 0.0F);
}

TEST(GradScalerTest, InfInOneOptimizerSkipsOnlyThatOne) {
  GradScaler scaler(options_with(8.0));
  RecordingOptimizer good;
  RecordingOptimizer bad;
  (void)scaler.scale(at::ones({}));
  good.set_gradient(at::ones({2}));
  bad.set_gradient(at::full({2}, inf));
  EXPECT_EQ(scaler.step(good), StepOutcome::stepped);
  EXPECT_EQ(scaler.step(bad), StepOutcome::skipped);
  scaler.update();
  EXPECT_EQ(scaler.get_scale(), 4.0);
  EXPECT_EQ(good.steps, 1);
  EXPECT_EQ(bad.steps, 0);
}

TEST(GradScalerTest, GroupsGradientsByDtypeAndSkipsUndefinedOnes) {
  GradScaler scaler(options_with(4.0));
  RecordingOptimizer optimizer(
      false, {at::zeros({2}), at::zeros({3}, at::kDouble), at::zeros({1}), at::zeros({1})});
  (void)scaler.scale(at::ones({}));
  optimizer.set_gradient(at::full({2}, 4.0F), 0);
  optimizer.set_gradient(at::full({3}, 8.0, at::kDouble), 1);
  optimizer.set_gradient(at::full({1}, 12.0F), 3);
  scaler.unscale_(optimizer);
  EXPECT_TRUE(optimizer.gradient(0).equal(at::full({2}, 1.0F)));
  EXPECT_TRUE(optimizer.gradient(1).equal(at::full({3}, 2.0, at::kDouble)));
  EXPECT_FALSE(optimizer.gradient(2).defined());
  EXPECT_TRUE(optimizer.gradient(3).equal(at::full({1}, 3.0F)));
}

TEST(GradScalerTest, UnscalesTheValuesOfASparseGradient) {
  GradScaler scaler(options_with(4.0));
  RecordingOptimizer optimizer;
  (void)scaler.scale(at::ones({}));
  optimizer.set_gradient(
      at::sparse_coo_tensor(torch::tensor({{1, 1}}, at::kLong), torch::tensor({4.0F, 8.0F}), {2}));
  scaler.unscale_(optimizer);
  EXPECT_TRUE(optimizer.gradient().to_dense().equal(torch::tensor({0.0F, 3.0F})));
}

TEST(GradScalerTest, SeesThatFloat16DuplicatesOverflow) {
  GradScaler scaler(options_with(1.0));
  RecordingOptimizer optimizer(/*fused=*/true, {at::zeros({2}, at::kHalf)});
  (void)scaler.scale(at::ones({}));
  const at::Tensor values = torch::tensor({60000.0F, 60000.0F}).to(at::kHalf);
  optimizer.set_gradient(at::sparse_coo_tensor(torch::tensor({{1, 1}}, at::kLong), values, {2}));
  (void)scaler.step(optimizer);
  EXPECT_EQ(optimizer.last_scaling.found_inf.item<float>(), 1.0F);
}

TEST(GradScalerTest, UpdateTakesANewScale) {
  GradScaler scaler(options_with(8.0));
  (void)scaler.scale(at::ones({}));
  scaler.update(32.0);
  EXPECT_EQ(scaler.get_scale(), 32.0);
  scaler.update(torch::tensor({16.0F}));
  EXPECT_EQ(scaler.get_scale(), 16.0);
  EXPECT_THROW(scaler.update(torch::tensor({1.0F, 2.0F})), Error);
  EXPECT_THROW(scaler.update(torch::tensor({1.0F}).requires_grad_()), Error);
}

TEST(GradScalerTest, DisabledIsAPlainStep) {
  GradScalerOptions options;
  options.enabled = false;
  options.growth_factor = 0.0;
  GradScaler scaler(options);
  RecordingOptimizer optimizer;
  const at::Tensor loss = at::ones({});
  EXPECT_TRUE(scaler.scale(loss).is_same(loss));
  optimizer.set_gradient(at::full({2}, inf));
  scaler.unscale_(optimizer);
  EXPECT_EQ(scaler.step(optimizer), StepOutcome::stepped);
  EXPECT_EQ(scaler.step(optimizer), StepOutcome::stepped);
  scaler.update();
  EXPECT_EQ(optimizer.steps, 2);
  EXPECT_EQ(scaler.get_scale(), 1.0);
  EXPECT_TRUE(scaler.state().empty());
  EXPECT_NO_THROW(scaler.load_state(nlohmann::json::object()));
}

TEST(GradScalerTest, StateGoesThroughJson) {
  GradScaler first(options_with(8.0, 3));
  RecordingOptimizer optimizer;
  (void)iterate(first, optimizer, 1.0F);
  (void)iterate(first, optimizer, 1.0F);
  const auto text = first.state().dump();

  GradScaler second;
  second.load_state(nlohmann::json::parse(text));
  EXPECT_EQ(second.state(), first.state());
  (void)iterate(second, optimizer, 1.0F);
  EXPECT_EQ(second.get_scale(), 16.0) << "the third good step completes the interval";
}

TEST(GradScalerTest, RefusesADamagedState) {
  GradScaler scaler;
  const nlohmann::json good = scaler.state();
  EXPECT_THAT([&] { scaler.load_state(nlohmann::json::object()); },
              ThrowsMessage<Error>(HasSubstr("source state is empty")));
  for (const auto& [key, value] : good.items()) {
    nlohmann::json missing = good;
    missing.erase(key);
    EXPECT_THAT([&] { scaler.load_state(missing); }, ThrowsMessage<Error>(HasSubstr(key)));
    nlohmann::json text = good;
    text[key] = "many";
    text["scale"] = key == "scale" ? nlohmann::json(nullptr) : nlohmann::json(1.0);
    EXPECT_THAT([&] { scaler.load_state(text); }, ThrowsMessage<Error>(HasSubstr(key)));
  }
  EXPECT_EQ(scaler.state(), good);
}

TEST(GradScalerTest, RefusesFactorsThatDoNotGrowOrBackOff) {
  GradScalerOptions options;
  options.growth_factor = 1.0;
  EXPECT_THROW(GradScaler{options}, Error);
  options.growth_factor = 2.0;
  options.backoff_factor = 1.0;
  EXPECT_THROW(GradScaler{options}, Error);
  options.backoff_factor = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(GradScaler{options}, Error);
}

class GradScalerMisuseTest : public ::testing::TestWithParam<bool> {
 protected:
  GradScaler scaler_;
  RecordingOptimizer optimizer_{GetParam()};

  void begin() {
    (void)scaler_.scale(at::ones({}));
    optimizer_.set_gradient(at::ones({2}));
  }
};

TEST_P(GradScalerMisuseTest, EverythingNeedsAScaleFirst) {
  const auto matches = ThrowsMessage<Error>(HasSubstr("scale(loss) was not called"));
  EXPECT_THAT([&] { scaler_.unscale_(optimizer_); }, matches);
  EXPECT_THAT([&] { (void)scaler_.step(optimizer_); }, matches);
  EXPECT_THAT([&] { scaler_.update(); }, matches);
  EXPECT_THAT([&] { scaler_.update(2.0); }, matches);
}

TEST_P(GradScalerMisuseTest, UnscalesOnce) {
  begin();
  scaler_.unscale_(optimizer_);
  EXPECT_THAT([&] { scaler_.unscale_(optimizer_); },
              ThrowsMessage<Error>(HasSubstr("unscale_() has already been called")));
}

TEST_P(GradScalerMisuseTest, UnscalesBeforeTheStep) {
  begin();
  (void)scaler_.step(optimizer_);
  EXPECT_THAT([&] { scaler_.unscale_(optimizer_); },
              ThrowsMessage<Error>(HasSubstr("unscale_() is being called after step()")));
}

TEST_P(GradScalerMisuseTest, StepsOnce) {
  begin();
  (void)scaler_.step(optimizer_);
  EXPECT_THAT([&] { (void)scaler_.step(optimizer_); },
              ThrowsMessage<Error>(HasSubstr("step() has already been called")));
  scaler_.update();
  EXPECT_NO_THROW((void)scaler_.step(optimizer_));
}

TEST_P(GradScalerMisuseTest, UpdateNeedsAnInfCheck) {
  begin();
  EXPECT_THAT([&] { scaler_.update(); },
              ThrowsMessage<Error>(HasSubstr("no inf checks were recorded prior to update")));
}

INSTANTIATE_TEST_SUITE_P(Paths, GradScalerMisuseTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Fused" : "Plain"; });

TEST(GradScalerTest, StepNeedsAGradient) {
  GradScaler scaler;
  RecordingOptimizer optimizer;
  (void)scaler.scale(at::ones({}));
  EXPECT_THAT([&] { (void)scaler.step(optimizer); },
              ThrowsMessage<Error>(HasSubstr("no inf checks were recorded for this optimizer")));
  EXPECT_EQ(optimizer.steps, 0);
}

TEST(GradScalerTest, RefusesToUnscaleFloat16Gradients) {
  GradScaler scaler;
  RecordingOptimizer optimizer(false, {at::zeros({2}, at::kHalf)});
  (void)scaler.scale(at::ones({}));
  optimizer.set_gradient(at::ones({2}, at::kHalf));
  EXPECT_THAT([&] { scaler.unscale_(optimizer); },
              ThrowsMessage<Error>(HasSubstr("FP16 gradients")));
  EXPECT_TRUE(optimizer.gradient().equal(at::ones({2}, at::kHalf)));
}

}  // namespace
}  // namespace mpbench::amp

#include "../../src/train/grad_clip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "../../src/train/optimizer.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::train {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float infinity = std::numeric_limits<float>::infinity();

at::Tensor with_gradient(const at::Tensor& gradient) {
  const at::Tensor parameter = at::zeros_like(gradient).requires_grad_();
  parameter.mutable_grad() = gradient.clone();
  return parameter;
}

TEST(GradientClipTest, ScalesAllGradientsByOneFactor) {
  // The norm over both is sqrt(9 + 16) = 5.
  const std::vector<at::Tensor> parameters{with_gradient(torch::tensor({3.0F, 0.0F})),
                                           with_gradient(torch::tensor({{4.0F}}))};
  const at::Tensor norm = clip_grad_norm_(parameters, 1.0);
  EXPECT_EQ(norm.dim(), 0);
  EXPECT_EQ(norm.item<float>(), 5.0F);
  EXPECT_FLOAT_EQ(parameters[0].grad()[0].item<float>(), 0.6F);
  EXPECT_FLOAT_EQ(parameters[1].grad().item<float>(), 0.8F);
}

TEST(GradientClipTest, LeavesSmallGradientsAlone) {
  const at::Tensor parameter = with_gradient(torch::tensor({3.0F, 4.0F}));
  EXPECT_EQ(clip_grad_norm_({parameter}, 5.1).item<float>(), 5.0F);
  EXPECT_TRUE(parameter.grad().equal(torch::tensor({3.0F, 4.0F})));
  EXPECT_EQ(clip_grad_norm_({parameter}, infinity).item<float>(), 5.0F);
  EXPECT_TRUE(parameter.grad().equal(torch::tensor({3.0F, 4.0F})));
}

TEST(GradientClipTest, PassesOverParametersWithoutAGradient) {
  const at::Tensor idle = at::ones({2}).requires_grad_();
  const at::Tensor parameter = with_gradient(torch::tensor({3.0F, 4.0F}));
  EXPECT_EQ(clip_grad_norm_({idle, parameter}, 1.0).item<float>(), 5.0F);
  EXPECT_FALSE(idle.grad().defined());
  EXPECT_EQ(clip_grad_norm_({idle}, 1.0).item<float>(), 0.0F);
}

TEST(GradientClipTest, KeepsTheScalersStepSkipped) {
  // Clipping spreads an inf to every gradient; the scaler has seen it before, and must not step.
  for (const bool fused : {false, true}) {
    const at::Tensor parameter = at::ones({2}).requires_grad_();
    const auto optimizer =
        make_optimizer({parameter}, {.kind = OptimizerKind::sgd, .lr = 1.0, .fused = fused});
    amp::GradScaler scaler({.init_scale = 4.0});
    const auto step = [&](float factor) {
      optimizer->zero_grad();
      scaler.scale((parameter * torch::tensor({3.0F, 4.0F * factor})).sum()).backward();
      scaler.unscale_(*optimizer);
      (void)clip_grad_norm_(optimizer->parameters(), 1.0);
      (void)scaler.step(*optimizer);
      scaler.update();
    };
    step(infinity);
    EXPECT_TRUE(parameter.equal(at::ones({2}))) << fused;
    EXPECT_EQ(scaler.get_scale(), 2.0) << fused;
    step(1.0F);
    EXPECT_TRUE(at::allclose(parameter, torch::tensor({0.4F, 0.2F}))) << fused << parameter;
  }
}

TEST(GradientClipTest, RefusesANormThatIsNotPositive) {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT([&] { (void)clip_grad_norm_({}, bad); },
                ThrowsMessage<UsageError>(HasSubstr("--clip-norm")));
  }
}

}  // namespace
}  // namespace mpbench::train

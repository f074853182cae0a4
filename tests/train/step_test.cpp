#include "mpbench/train/step.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "mpbench/amp/fp16_conv.hpp"

namespace mpbench::train {
namespace {

struct StepTest : testing::TestWithParam<Precision> {
  StepTest() {
    torch::manual_seed(0);
    model = nn::make_model({.in_channels = 1, .outputs = 1});
    optimizer = make_optimizer(model->parameters(), {});
    batch.images = torch::rand({8, 1, 32, 32});
    batch.labels = torch::tensor({0L, 1L, 0L, 1L, 0L, 1L, 0L, 1L});
  }
  amp::Fp16ConvolutionGuard fp16;
  std::shared_ptr<nn::ImageClassifier> model;
  std::unique_ptr<Optimizer> optimizer;
  data::Batch batch;
};

TEST_P(StepTest, LowersTheLossOfItsOwnBatch) {
  amp::GradScaler scaler({.init_scale = 1024, .enabled = GetParam() == Precision::fp16});
  const Loss loss{.task = Task::binary};
  const double first =
      train_step(*model, batch, loss, *optimizer, scaler, GetParam()).loss.item<double>();
  double last = first;
  for (int i = 0; i < 15; ++i)
    last = train_step(*model, batch, loss, *optimizer, scaler, GetParam()).loss.item<double>();
  EXPECT_LT(last, 0.7 * first);
}

TEST_P(StepTest, ComputesLogitsInThePrecisionAndTheLossInFloat32) {
  amp::GradScaler scaler({.init_scale = 1024, .enabled = GetParam() == Precision::fp16});
  const StepResult result =
      train_step(*model, batch, {.task = Task::binary}, *optimizer, scaler, GetParam());
  const auto expected = GetParam() == Precision::fp16   ? torch::kHalf
                        : GetParam() == Precision::bf16 ? torch::kBFloat16
                                                        : torch::kFloat32;
  EXPECT_EQ(result.logits.scalar_type(), expected);
  EXPECT_EQ(result.loss.scalar_type(), torch::kFloat32);
  EXPECT_FALSE(result.loss.requires_grad());
  for (const auto& parameter : model->parameters())
    EXPECT_EQ(parameter.scalar_type(), torch::kFloat32);
}

INSTANTIATE_TEST_SUITE_P(Precisions, StepTest,
                         testing::Values(Precision::fp32, Precision::bf16, Precision::fp16),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST(StepTest, AnOverflowingScaleSkipsTheUpdateAndBacksOff) {
  torch::manual_seed(0);
  const amp::Fp16ConvolutionGuard fp16;
  const auto model = nn::make_model({.in_channels = 1, .outputs = 1});
  const auto optimizer = make_optimizer(model->parameters(), {});
  amp::GradScaler scaler({.init_scale = 1e30});
  const data::Batch batch{.images = torch::rand({4, 1, 32, 32}),
                          .labels = torch::tensor({0L, 1L, 0L, 1L}),
                          .indices = {}};
  const torch::Tensor before = model->parameters().front().detach().clone();
  static_cast<void>(
      train_step(*model, batch, {.task = Task::binary}, *optimizer, scaler, Precision::fp16));
  EXPECT_EQ(scaler.skipped_steps(), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(scaler.get_scale()), 0.5e30F);
  EXPECT_TRUE(torch::equal(before, model->parameters().front()));
}

}  // namespace
}  // namespace mpbench::train

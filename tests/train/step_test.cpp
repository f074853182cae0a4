#include "../../src/train/step.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "mpbench/kernels/cpu_kernels.hpp"
#include "mpbench/train/setup.hpp"

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
  StepResult step(const Loss& loss, amp::GradScaler& scaler) {
    TrainStepContext context{*model, loss, *optimizer, scaler, GetParam()};
    return train_step(context, {&batch, 1});
  }
  kernels::CpuKernelsGuard kernels{cpu_kernel_options(kernels::DepthwiseBackend::framework,
                                                      kernels::Emulation::automatic, GetParam())};
  std::shared_ptr<nn::ImageClassifier> model;
  std::unique_ptr<Optimizer> optimizer;
  data::Batch batch;
};

TEST_P(StepTest, LowersTheLossOfItsOwnBatch) {
  amp::GradScaler scaler({.init_scale = 1024, .enabled = GetParam() == Precision::fp16});
  const Loss loss{{.task = Task::binary}};
  const double first = step(loss, scaler).loss.item<double>();
  double last = first;
  for (int i = 0; i < 15; ++i) last = step(loss, scaler).loss.item<double>();
  EXPECT_LT(last, 0.7 * first);
}

TEST_P(StepTest, ComputesLogitsInThePrecisionAndTheLossInFloat32) {
  amp::GradScaler scaler({.init_scale = 1024, .enabled = GetParam() == Precision::fp16});
  const StepResult result = step({{.task = Task::binary}}, scaler);
  const auto expected = GetParam() == Precision::fp16   ? torch::kHalf
                        : GetParam() == Precision::bf16 ? torch::kBFloat16
                                                        : torch::kFloat32;
  EXPECT_EQ(result.logits.front().scalar_type(), expected);
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
  const kernels::CpuKernelsGuard kernels(cpu_kernel_options(
      kernels::DepthwiseBackend::framework, kernels::Emulation::automatic, Precision::fp16));
  const auto model = nn::make_model({.in_channels = 1, .outputs = 1});
  const auto optimizer = make_optimizer(model->parameters(), {});
  amp::GradScaler scaler({.init_scale = 1e30});
  const data::Batch batch{.images = torch::rand({4, 1, 32, 32}),
                          .labels = torch::tensor({0L, 1L, 0L, 1L}),
                          .indices = {}};
  const torch::Tensor before = model->parameters().front().detach().clone();
  const Loss loss{{.task = Task::binary}};
  TrainStepContext context{*model, loss, *optimizer, scaler, Precision::fp16};
  static_cast<void>(train_step(context, {&batch, 1}));
  EXPECT_EQ(scaler.skipped_steps(), 1);
  EXPECT_FLOAT_EQ(static_cast<float>(scaler.get_scale()), 0.5e30F);
  EXPECT_TRUE(torch::equal(before, model->parameters().front()));
}

/// A linear model: its gradients over several batches add up exactly as over one.
class Linear : public nn::ImageClassifier {
 public:
  Linear() : layer_(register_module("layer", torch::nn::Linear(16, 1))) {}
  torch::Tensor forward(torch::Tensor images) override {
    return layer_->forward(images.flatten(1));
  }
  std::string stem() const override { return "layer"; }
  std::string head() const override { return "layer"; }

 private:
  torch::nn::Linear layer_;
};

struct LinearStep {
  explicit LinearStep(std::size_t parts, double clip_norm = 0) {
    torch::manual_seed(3);
    const torch::Tensor images = torch::rand({8, 1, 4, 4});
    const torch::Tensor labels = torch::tensor({0L, 1L, 0L, 1L, 1L, 1L, 0L, 1L});
    const auto size = static_cast<std::int64_t>(8 / parts);
    std::vector<data::Batch> batches;
    for (std::int64_t from = 0; from < 8; from += size)
      batches.push_back({images.narrow(0, from, size), labels.narrow(0, from, size), {}});
    Linear model;
    const auto optimizer =
        make_optimizer(model.parameters(),
                       {.kind = OptimizerKind::sgd, .lr = 1.0, .weight_decay = 0, .momentum = 0});
    const torch::Tensor before = model.parameters().front().detach().clone();
    const torch::Tensor bias_before = model.parameters().back().detach().clone();
    const Loss loss{{.task = Task::binary}};
    amp::GradScaler scaler({.init_scale = 1024, .enabled = true});
    TrainStepContext context{model, loss, *optimizer, scaler, Precision::fp32, clip_norm};
    result = train_step(context, batches);
    change = torch::cat({(model.parameters().front().detach() - before).flatten(),
                         model.parameters().back().detach() - bias_before});
  }
  StepResult result;
  torch::Tensor change;
};

TEST(StepTest, AccumulatesTheMeanOverItsBatches) {
  const LinearStep whole(1);
  const LinearStep parts(4);
  EXPECT_EQ(parts.result.logits.size(), 4U);
  EXPECT_TRUE(torch::allclose(parts.change, whole.change, 1e-5, 1e-7));
  EXPECT_NEAR(parts.result.loss.item<double>(), whole.result.loss.item<double>(), 1e-6);
}

TEST(StepTest, ClipsTheUnscaledGradients) {
  const double free = LinearStep(1).change.norm().item<double>();
  EXPECT_NEAR(LinearStep(1, free / 4).change.norm().item<double>(), free / 4, 1e-5 * free)
      << "scaled gradients are 1024 times as long";
  EXPECT_NEAR(LinearStep(1, free * 4).change.norm().item<double>(), free, 1e-6 * free);
}

}  // namespace
}  // namespace mpbench::train

#include "../../src/train/optimizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/error.hpp"
#include "train/operator_counter.hpp"

namespace mpbench::train {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

OptimizerOptions named(const std::string& name) {
  OptimizerOptions options;
  options.kind = parse_enum<OptimizerKind>(name, "--optimizer");
  options.lr = 0.1;
  options.momentum = name == "sgd" ? 0.9 : 0.0;
  return options;
}

at::Tensor parameter(float value = 1.0F) { return at::full({3}, value).requires_grad_(); }

/// Where `steps` plain steps with gradient 1, 2, 3 ... lead.
at::Tensor after_steps(const OptimizerOptions& options, int steps) {
  const at::Tensor weight = parameter();
  const auto optimizer = make_optimizer({weight}, options);
  for (int i = 0; i < steps; ++i) {
    weight.mutable_grad() = at::full({3}, static_cast<float>(i + 1));
    optimizer->step(nullptr);
  }
  return weight.detach();
}

class EveryOptimizerTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, EveryOptimizerTest, ::testing::Values("adam", "adamw", "sgd"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(EveryOptimizerTest, SkippedStepsLeaveNoTrace) {
  // Starting with a skipped step: the fused SGD kernel's first-step flag would leave garbage
  // behind.
  const OptimizerOptions options = named(GetParam());
  const at::Tensor weight = parameter();
  const auto optimizer = make_optimizer({weight}, options);
  const amp::AmpScaling skip{at::full({}, 4.0F), at::ones({})};
  const amp::AmpScaling go{at::full({}, 4.0F), at::zeros({})};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 3; ++i) {
    weight.mutable_grad() = at::full({3}, nan);
    optimizer->step(&skip);
    weight.mutable_grad() = at::full({3}, 4.0F * static_cast<float>(i + 1));
    optimizer->step(&go);
  }
  EXPECT_TRUE(weight.equal(after_steps(options, 3))) << weight;
}

TEST_P(EveryOptimizerTest, PlainAndFusedPathsOfTheScalerAgree) {
  at::Tensor ends[2];
  for (const bool fused : {false, true}) {
    OptimizerOptions options = named(GetParam());
    options.fused = fused;
    const at::Tensor weight = parameter();
    const auto optimizer = make_optimizer({weight}, options);
    amp::GradScaler scaler;
    for (int i = 0; i < 5; ++i) {
      optimizer->zero_grad();
      const float factor = i == 2 ? std::numeric_limits<float>::infinity() : 1.5F;
      scaler.scale((weight * weight * factor).sum()).backward();
      (void)scaler.step(*optimizer);
      scaler.update();
    }
    EXPECT_EQ(scaler.skipped_steps(), 1);
    EXPECT_EQ(scaler.get_scale(), 32768.0);
    ends[fused ? 1 : 0] = weight.detach();
  }
  EXPECT_TRUE(ends[0].equal(ends[1])) << ends[0] << ends[1];
}

TEST_P(EveryOptimizerTest, GoesOnFromItsState) {
  const OptimizerOptions options = named(GetParam());
  const at::Tensor first = parameter();
  const auto before = make_optimizer({first}, options);
  first.mutable_grad() = at::full({3}, 1.0F);
  before->step(nullptr);

  const at::Tensor second = first.detach().clone().requires_grad_();
  const auto after = make_optimizer({second}, options);
  after->load_state(before->state());
  second.mutable_grad() = at::full({3}, 2.0F);
  after->step(nullptr);
  EXPECT_TRUE(second.equal(after_steps(options, 2)));
}

TEST_P(EveryOptimizerTest, RefusesAnotherState) {
  const auto optimizer = make_optimizer({parameter()}, named(GetParam()));
  auto missing = optimizer->state();
  const std::string name = missing.begin()->first;
  missing.erase(name);
  EXPECT_THAT([&] { optimizer->load_state(missing); },
              ThrowsMessage<Error>(HasSubstr(name + " is missing")));
  auto reshaped = optimizer->state();
  reshaped[name] = at::zeros({7});
  EXPECT_THAT([&] { optimizer->load_state(reshaped); },
              ThrowsMessage<Error>(HasSubstr("wrong shape")));
  auto extra = optimizer->state();
  extra["exp_avg.9"] = at::zeros({3});
  EXPECT_THAT([&] { optimizer->load_state(extra); },
              ThrowsMessage<Error>(HasSubstr("exp_avg.9 does not belong")));
}

TEST_P(EveryOptimizerTest, TakesGradientsOfOtherStrides) {
  // The kernels read parameter and gradient by one linear index.
  OptimizerOptions options = named(GetParam());
  at::Tensor ends[2];
  for (const bool channels_last : {false, true}) {
    torch::manual_seed(1);
    const auto format =
        channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    const at::Tensor weight = at::randn({2, 3, 4, 5}).contiguous(format).requires_grad_();
    const auto optimizer = make_optimizer({weight}, options);
    for (int i = 0; i < 3; ++i) {
      weight.mutable_grad() = at::randn({2, 3, 4, 5});
      optimizer->step(nullptr);
    }
    ends[channels_last ? 1 : 0] = weight.detach();
  }
  EXPECT_TRUE(at::allclose(ends[0], ends[1], 0, 1e-6));
}

TEST_P(EveryOptimizerTest, CopiesNoGradientThatLiesAsItsParameterDoes) {
  // A depthwise convolution's: the step along its second dimension is never taken.
  const OptimizerOptions options = named(GetParam());
  for (const std::int64_t stride : {9, 1}) {
    torch::manual_seed(1);
    at::Tensor ends[2];
    int copies[2];
    for (const std::int64_t gradient_stride : {stride, 10 - stride}) {
      torch::manual_seed(1);
      const auto laid = [](std::int64_t second) {
        return at::randn({4, 1, 3, 3}).as_strided({4, 1, 3, 3}, {9, second, 3, 1});
      };
      const at::Tensor weight = laid(stride).requires_grad_();
      const auto optimizer = make_optimizer({weight}, options);
      weight.mutable_grad() = laid(gradient_stride);
      const OperatorCounter counter;
      optimizer->step(nullptr);
      const int place = gradient_stride == stride ? 0 : 1;
      copies[place] = counter.of("aten::copy_");
      ends[place] = weight.detach();
    }
    EXPECT_EQ(copies[0], copies[1]);
    EXPECT_TRUE(ends[0].equal(ends[1]));
  }
}

TEST_P(EveryOptimizerTest, TakesTheLearningRateFromATensor) {
  OptimizerOptions options = named(GetParam());
  const at::Tensor with_double = after_steps(options, 3);
  options.tensor_lr = true;
  EXPECT_TRUE(at::allclose(after_steps(options, 3), with_double, 1e-6, 1e-7));

  const at::Tensor weight = parameter();
  const auto optimizer = make_optimizer({weight}, options);
  optimizer->set_lr(0.0);
  weight.mutable_grad() = at::ones({3});
  optimizer->step(nullptr);
  EXPECT_TRUE(weight.equal(at::ones({3})));
}

TEST_P(EveryOptimizerTest, StepsEachDtypeAndSkipsUndefinedGradients) {
  const at::Tensor single = parameter();
  const at::Tensor twice = at::ones({3}, at::kDouble).requires_grad_();
  const at::Tensor idle = parameter();
  const auto optimizer = make_optimizer({single, idle, twice}, named(GetParam()));
  single.mutable_grad() = at::ones({3});
  twice.mutable_grad() = at::ones({3}, at::kDouble);
  optimizer->step(nullptr);
  EXPECT_TRUE(idle.equal(at::ones({3})));
  EXPECT_FALSE(single.equal(at::ones({3})));
  EXPECT_TRUE(at::allclose(single.to(at::kDouble), twice, 1e-6));
}

TEST(OptimizerTest, ZeroGradDropsTheGradients) {
  const at::Tensor weight = parameter();
  const auto optimizer = make_optimizer({weight}, named("adam"));
  weight.mutable_grad() = at::ones({3});
  optimizer->zero_grad();
  EXPECT_FALSE(weight.grad().defined());
}

TEST(OptimizerTest, SetLrChangesTheNextStep) {
  const at::Tensor weight = parameter();
  OptimizerOptions options = named("sgd");
  options.momentum = 0.0;
  const auto optimizer = make_optimizer({weight}, options);
  optimizer->set_lr(0.5);
  EXPECT_EQ(optimizer->lr(), 0.5);
  weight.mutable_grad() = at::ones({3});
  optimizer->step(nullptr);
  EXPECT_TRUE(weight.equal(at::full({3}, 0.5F)));
  EXPECT_THROW(optimizer->set_lr(-1.0), UsageError);
  EXPECT_THROW(optimizer->set_lr(std::numeric_limits<double>::quiet_NaN()), UsageError);
}

TEST(OptimizerTest, RefusesASparseGradient) {
  const at::Tensor weight = parameter();
  const auto optimizer = make_optimizer({weight}, named("sgd"));
  weight.mutable_grad() =
      at::sparse_coo_tensor(torch::tensor({{1}}, at::kLong), torch::tensor({4.0F}), {3});
  EXPECT_THAT([&] { optimizer->step(nullptr); }, ThrowsMessage<Error>(HasSubstr("sparse")));
}

TEST(OptimizerTest, AnUnknownNameListsTheChoices) {
  EXPECT_THAT([] { make_optimizer({parameter()}, named("lion")); },
              ThrowsMessage<UsageError>(HasSubstr("adam, adamw or sgd")));
}

TEST(OptimizerTest, RefusesOptionsThatMakeNoSense) {
  const auto refuses = [](auto change) {
    OptimizerOptions options = named("sgd");
    change(options);
    EXPECT_THROW(make_optimizer({parameter()}, options), UsageError);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double lr : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
    refuses([&](OptimizerOptions& o) { o.lr = lr; });
  }
  refuses([&](OptimizerOptions& o) { o.weight_decay = -1e-4; });
  refuses([&](OptimizerOptions& o) { o.momentum = 1.0; });
  refuses([&](OptimizerOptions& o) { o.momentum = nan; });
  refuses([&](OptimizerOptions& o) { o.beta1 = 1.0; });
  refuses([&](OptimizerOptions& o) { o.beta2 = -0.1; });
  refuses([&](OptimizerOptions& o) { o.eps = -1e-8; });
  refuses([&](OptimizerOptions& o) {
    o.nesterov = true;
    o.momentum = 0.0;
  });
  EXPECT_THROW(make_optimizer({}, named("sgd")), UsageError);
}

}  // namespace
}  // namespace mpbench::train

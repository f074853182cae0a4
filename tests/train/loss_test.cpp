#include "mpbench/train/loss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <limits>

#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(LossTest, BinaryIsWeightedCrossEntropyOfTheLogit) {
  const auto logits = torch::tensor({{2.0F}, {-1.0F}});
  const auto labels = torch::tensor({1L, 0L});
  const double positive = std::log1p(std::exp(-2.0));
  const double negative = std::log1p(std::exp(-1.0));
  EXPECT_NEAR((Loss{{.task = Task::binary}}(logits, labels).item<double>()),
              (positive + negative) / 2, 1e-6);
  EXPECT_NEAR((Loss{{.task = Task::binary, .pos_weight = 3.0}}(logits, labels).item<double>()),
              (3 * positive + negative) / 2, 1e-6);
}

TEST(LossTest, StaysInFloat32UnderAutocastAndForHalfLogits) {
  // exp(12) overflows nothing in float32; 70000 identical rows would overflow a float16 sum.
  const auto logits = torch::full({70000, 1}, -12.0).to(torch::kHalf);
  const auto labels = torch::ones({70000}, torch::kInt64);
  const amp::AutocastGuard autocast(torch::kCPU, torch::kHalf);
  const auto loss = Loss{{.task = Task::binary}}(logits, labels);
  EXPECT_EQ(loss.scalar_type(), torch::kFloat32);
  EXPECT_NEAR(loss.item<double>(), std::log1p(std::exp(12.0)), 1e-4);
}

TEST(LossTest, MulticlassIsCrossEntropy) {
  const auto loss =
      Loss{{.task = Task::multiclass}}(torch::zeros({2, 10}), torch::tensor({3L, 9L}));
  EXPECT_NEAR(loss.item<double>(), std::log(10.0), 1e-6);
}

TEST(LossTest, SmoothingMovesTheBinaryTargetsTowardsAHalf) {
  const auto logits = torch::tensor({{2.0F}});
  const double positive = std::log1p(std::exp(-2.0));
  const double negative = std::log1p(std::exp(2.0));
  const Loss loss{{.task = Task::binary, .label_smoothing = 0.2}};
  EXPECT_NEAR(loss(logits, torch::tensor({1L})).item<double>(), 0.9 * positive + 0.1 * negative,
              1e-6);
  EXPECT_NEAR(loss(logits, torch::tensor({0L})).item<double>(), 0.1 * positive + 0.9 * negative,
              1e-6);
}

TEST(LossTest, FocalWeighsDownWhatIsKnownAlready) {
  // p = 0.8 for the true class: (1 - 0.8)^2 of the cross-entropy.
  const auto logits = torch::tensor({{std::log(4.0F)}});
  const Loss loss{{.task = Task::binary, .kind = LossKind::focal}};
  EXPECT_NEAR(loss(logits, torch::tensor({1L})).item<double>(), 0.04 * -std::log(0.8), 1e-7);
  EXPECT_NEAR(loss(logits, torch::tensor({0L})).item<double>(), 0.64 * -std::log(0.2), 1e-6);
  Loss weighed = loss;
  weighed.focal_alpha = 0.25;
  EXPECT_NEAR(weighed(logits, torch::tensor({1L})).item<double>(), 0.01 * -std::log(0.8), 1e-7);
  EXPECT_NEAR(weighed(logits, torch::tensor({0L})).item<double>(), 0.48 * -std::log(0.2), 1e-6);
  weighed.focal_alpha.reset();
  weighed.pos_weight = 3;
  EXPECT_NEAR(weighed(logits, torch::tensor({1L})).item<double>(), 0.12 * -std::log(0.8), 1e-7);
  EXPECT_NEAR(weighed(logits, torch::tensor({0L})).item<double>(), 0.64 * -std::log(0.2), 1e-6);

  const auto three = torch::log(torch::tensor({{0.1F, 0.8F, 0.1F}}));
  const Loss multiclass{{.task = Task::multiclass, .kind = LossKind::focal}};
  EXPECT_NEAR(multiclass(three, torch::tensor({1L})).item<double>(), 0.04 * -std::log(0.8), 1e-7);
}

TEST(LossTest, FocalStaysFiniteForLogitsFarFromZero) {
  // 1 - p is 0 in float32 here, and its power with an exponent below 1 has no gradient there.
  for (const double gamma : {0.0, 0.5, 2.0}) {
    const Loss binary{{.task = Task::binary, .kind = LossKind::focal, .focal_gamma = gamma}};
    const auto logits = torch::tensor({{120.0F}, {120.0F}}).requires_grad_();
    const auto loss = binary(logits, torch::tensor({1L, 0L}));
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), 60.0, 1e-4) << gamma;
    EXPECT_NEAR(logits.grad()[0].item<double>(), 0.0, 1e-6) << gamma;
    EXPECT_NEAR(logits.grad()[1].item<double>(), 0.5, 1e-6) << gamma;

    const Loss multiclass{
        {.task = Task::multiclass, .kind = LossKind::focal, .focal_gamma = gamma}};
    const auto rows = torch::tensor({{120.0F, 0.0F, -120.0F}}).repeat({2, 1}).requires_grad_();
    const auto sum = multiclass(rows, torch::tensor({0L, 2L}));
    sum.backward();
    EXPECT_NEAR(sum.item<double>(), 120.0, 1e-4) << gamma;
    const auto expected = torch::tensor({{0.0F, 0.0F, 0.0F}, {0.5F, 0.0F, -0.5F}});
    EXPECT_TRUE(torch::allclose(rows.grad(), expected, 0, 1e-6)) << gamma << rows.grad();
  }
}

TEST(LossTest, RefusesWhatMakesNoSenseByTheFlagsName) {
  const auto refuses = [](const char* flag, auto change) {
    Loss loss{{.task = Task::binary, .kind = LossKind::focal}};
    change(loss);
    EXPECT_THAT([&] { validate(loss); }, ThrowsWith<UsageError>(flag));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT([] { parse_enum<LossKind>("hinge", "--loss"); },
              ThrowsMessage<UsageError>(HasSubstr("--loss hinge: choose cross-entropy or focal")));
  for (const double bad : {-0.5, nan, std::numeric_limits<double>::infinity()}) {
    refuses("--focal-gamma", [&](Loss& l) { l.focal_gamma = bad; });
  }
  for (const double bad : {-0.1, 1.0, nan}) {
    refuses("--label-smoothing", [&](Loss& l) { l.label_smoothing = bad; });
  }
  for (const double bad : {-0.1, 1.1, nan}) {
    refuses("--focal-alpha", [&](Loss& l) { l.focal_alpha = bad; });
  }
  for (const double bad : {0.0, -1.0, nan}) {
    refuses("weight of the positives", [&](Loss& l) { l.pos_weight = bad; });
  }
  validate(
      Loss{{.task = Task::binary, .pos_weight = 3, .kind = LossKind::focal, .focal_alpha = 0.25}});
}

TEST(LossTest, WeightsOfThePositivesNeedTwoClasses) {
  Loss loss{{.task = Task::multiclass, .kind = LossKind::focal, .focal_alpha = 0.25}};
  EXPECT_THAT([&] { validate(loss); },
              ThrowsMessage<UsageError>(AllOf(HasSubstr("--focal-alpha"), HasSubstr("two"))));
  loss.focal_alpha.reset();
  validate(loss);
  loss.pos_weight = 2;
  EXPECT_THROW(validate(loss), UsageError);
}

TEST(PredictionTest, ProbabilityAndClassAgree) {
  const auto logits = torch::tensor({{0.5F}, {-0.5F}, {0.0F}});
  EXPECT_NEAR(probabilities(Task::binary, logits)[0].item<double>(), 1 / (1 + std::exp(-0.5)),
              1e-6);
  EXPECT_TRUE(torch::equal(predicted_class(Task::binary, logits), torch::tensor({1L, 0L, 1L})));
  EXPECT_TRUE(torch::equal(predicted_class(Task::multiclass, torch::eye(3)), torch::arange(3)));
}

}  // namespace
}  // namespace mpbench::train

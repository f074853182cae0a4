#include "mpbench/train/loss.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "mpbench/amp/autocast_guard.hpp"

namespace mpbench::train {
namespace {

TEST(LossTest, BinaryIsWeightedCrossEntropyOfTheLogit) {
  const auto logits = torch::tensor({{2.0F}, {-1.0F}});
  const auto labels = torch::tensor({1L, 0L});
  const double positive = std::log1p(std::exp(-2.0));
  const double negative = std::log1p(std::exp(-1.0));
  EXPECT_NEAR((Loss{.task = Task::binary}(logits, labels).item<double>()),
              (positive + negative) / 2, 1e-6);
  EXPECT_NEAR((Loss{.task = Task::binary, .pos_weight = 3.0}(logits, labels).item<double>()),
              (3 * positive + negative) / 2, 1e-6);
}

TEST(LossTest, StaysInFloat32UnderAutocastAndForHalfLogits) {
  // exp(12) overflows nothing in float32; 70000 identical rows would overflow a float16 sum.
  const auto logits = torch::full({70000, 1}, -12.0).to(torch::kHalf);
  const auto labels = torch::ones({70000}, torch::kInt64);
  const amp::AutocastGuard autocast(torch::kCPU, torch::kHalf);
  const auto loss = Loss{.task = Task::binary}(logits, labels);
  EXPECT_EQ(loss.scalar_type(), torch::kFloat32);
  EXPECT_NEAR(loss.item<double>(), std::log1p(std::exp(12.0)), 1e-4);
}

TEST(LossTest, MulticlassIsCrossEntropy) {
  const auto loss = Loss{.task = Task::multiclass}(torch::zeros({2, 10}), torch::tensor({3L, 9L}));
  EXPECT_NEAR(loss.item<double>(), std::log(10.0), 1e-6);
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

#include "../../src/nn/layers/stochastic_depth.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace mpbench::nn {
namespace {

TEST(StochasticDepthTest, DropsWholeImagesAndKeepsTheMean) {
  torch::manual_seed(5);
  constexpr int images = 4000;
  const torch::Tensor output = stochastic_depth(torch::ones({images, 2, 3, 1}), 0.2, true);
  const torch::Tensor rows = output.reshape({images, -1});
  // Each row is all 0 or all 1 / 0.8.
  EXPECT_TRUE(torch::equal(rows, rows.select(1, 0).unsqueeze(1).expand_as(rows)));
  const torch::Tensor kept = rows.select(1, 0) != 0;
  EXPECT_TRUE(torch::allclose(rows.select(1, 0).masked_select(kept), torch::tensor(1.25)));
  // Five standard errors of a share of 0.8 in 4000.
  EXPECT_NEAR(kept.to(torch::kFloat).mean().item<double>(), 0.8, 0.032);
}

TEST(StochasticDepthTest, DoesNothingWithoutTrainingOrProbability) {
  torch::manual_seed(5);
  const torch::Tensor input = torch::rand({3, 2, 2, 2});
  const torch::Tensor next = torch::rand({1});
  torch::manual_seed(5);
  (void)torch::rand({3, 2, 2, 2});
  EXPECT_TRUE(stochastic_depth(input, 0.5, false).is_same(input));
  EXPECT_TRUE(stochastic_depth(input, 0, true).is_same(input));
  EXPECT_TRUE(torch::equal(torch::rand({1}), next)) << "random numbers were drawn";
}

TEST(StochasticDepthTest, KeepsTheDtypeAndScalesTheGradient) {
  torch::manual_seed(5);
  const torch::Tensor input = torch::ones({64, 1, 1, 1}, torch::kBFloat16).requires_grad_();
  const torch::Tensor output = stochastic_depth(input, 0.5, true);
  EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
  output.sum().backward();
  EXPECT_TRUE(torch::equal(input.grad(), output.detach()));  // of an input of ones
}

}  // namespace
}  // namespace mpbench::nn

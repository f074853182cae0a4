#include "../../src/nn/layers/initialization.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace mpbench::nn {
namespace {

TEST(InitializationTest, DrawsConvolutionsByTheirFanOut) {
  torch::manual_seed(2);
  torch::nn::Sequential model(torch::nn::Conv2d(torch::nn::Conv2dOptions(16, 64, 5).bias(true)),
                              torch::nn::Linear(4, 4));
  const torch::Tensor linear_before = model[1]->as<torch::nn::Linear>()->weight.clone();
  initialize_convolutions(*model);
  const auto* convolution = model[0]->as<torch::nn::Conv2d>();
  // 25600 values: a standard error of 0.0044 of the deviation.
  const double deviation = std::sqrt(2.0 / (64 * 5 * 5));
  EXPECT_NEAR(convolution->weight.std().item<double>() / deviation, 1, 0.02);
  EXPECT_NEAR(convolution->weight.mean().item<double>() / deviation, 0, 0.03);
  EXPECT_EQ(convolution->bias.abs().max().item<double>(), 0);
  EXPECT_TRUE(torch::equal(model[1]->as<torch::nn::Linear>()->weight, linear_before));
}

}  // namespace
}  // namespace mpbench::nn

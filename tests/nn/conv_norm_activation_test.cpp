#include "../../src/nn/layers/conv_norm_activation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace mpbench::nn {
namespace {

TEST(ConvNormActivationTest, HasTorchvisionsNames) {
  const auto block =
      std::make_shared<ConvNormActivation>(same_convolution(3, 8, 3), Activation::relu);
  EXPECT_THAT(block->named_parameters().keys(),
              testing::ElementsAre("0.weight", "1.weight", "1.bias"));
  EXPECT_THAT(block->named_buffers().keys(),
              testing::ElementsAre("1.running_mean", "1.running_var", "1.num_batches_tracked"));
}

TEST(ConvNormActivationTest, KeepsTheImagesSizeAtStrideOne) {
  for (const int kernel : {1, 3, 5, 7}) {
    ConvNormActivation same(same_convolution(4, 8, kernel), Activation::silu);
    ConvNormActivation half(same_convolution(4, 4, kernel, 2, /*groups=*/4), Activation::none);
    const torch::Tensor input = torch::rand({2, 4, 11, 8});
    EXPECT_EQ(same.forward(input).sizes(), (std::vector<std::int64_t>{2, 8, 11, 8}));
    EXPECT_EQ(half.forward(input).sizes(), (std::vector<std::int64_t>{2, 4, 6, 4}));
  }
}

TEST(ConvNormActivationTest, IsConvolutionThenNormThenActivation) {
  ConvNormActivation block(same_convolution(2, 3, 3), Activation::relu6,
                           torch::nn::BatchNormOptions(0).eps(0.5).momentum(0.25));
  const torch::Tensor input = torch::randn({4, 2, 6, 6}) * 20;
  const torch::Tensor maps =
      torch::conv2d(input, block.named_parameters()["0.weight"], {}, 1, /*padding=*/1);
  const torch::Tensor mean = maps.mean({0, 2, 3}, /*keepdim=*/true);
  const torch::Tensor variance = maps.var({0, 2, 3}, /*unbiased=*/false, /*keepdim=*/true);
  const torch::Tensor expected = ((maps - mean) / (variance + 0.5).sqrt()).clamp(0, 6);
  EXPECT_TRUE(torch::allclose(block.forward(input), expected, 1e-4, 1e-5));
  EXPECT_TRUE(
      torch::allclose(block.named_buffers()["1.running_mean"], 0.25 * mean.flatten(), 1e-4, 1e-5));
}

}  // namespace
}  // namespace mpbench::nn

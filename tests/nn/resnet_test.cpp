#include "../../src/nn/models/resnet.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace mpbench::nn {
namespace {

TEST(ResNetTest, HasThePublishedNumbersOfParameters) {
  EXPECT_EQ(count_parameters(ResNet(resnet18, 3, 1000)), 11'689'512);
  EXPECT_EQ(count_parameters(ResNet(resnet50, 3, 1000)), 25'557'032);
}

TEST(ResNetTest, TakesGreyAndColourImagesOfAnySize) {
  const torch::NoGradGuard no_grad;
  ResNet grey(resnet18, 1, 1);
  ResNet colour(resnet50, 3, 7);
  EXPECT_EQ(grey.forward(torch::rand({2, 1, 40, 33})).sizes(), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(colour.forward(torch::rand({2, 3, 32, 64})).sizes(), (std::vector<std::int64_t>{2, 7}));
}

TEST(ResNetTest, DownsamplesWhereTheShapeChanges) {
  const auto names = ResNet(resnet50, 3, 10).named_parameters();
  EXPECT_TRUE(names.contains("layer1.0.downsample.0.weight"));  // 64 to 256 channels
  EXPECT_TRUE(names.contains("layer4.0.downsample.1.bias"));
  EXPECT_FALSE(names.contains("layer1.1.downsample.0.weight"));
  EXPECT_FALSE(ResNet(resnet18, 3, 10).named_parameters().contains("layer1.0.downsample.0.weight"));
}

}  // namespace
}  // namespace mpbench::nn

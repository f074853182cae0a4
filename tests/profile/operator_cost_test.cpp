#include "../../src/profile/operator_cost.hpp"

#include <gmock/gmock.h>

#include "../../src/profile/operator_names.hpp"

namespace mpbench::profile {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Optional;

ProfiledEvent convolution(const std::string& name, std::vector<Shape> shapes,
                          ConvolutionSettings settings) {
  ProfiledEvent call{.name = name};
  call.dtypes.assign(shapes.size(), "float");
  call.shapes = std::move(shapes);
  call.convolution = std::move(settings);
  return call;
}

ConvolutionSettings settings(std::int64_t stride, std::int64_t padding, std::int64_t groups = 1) {
  return {.stride = {stride, stride},
          .padding = {padding, padding},
          .dilation = {1, 1},
          .groups = groups};
}

TEST(OperatorCostTest, AConvolutionMultipliesEachWeightAtEachPlace) {
  const ProfiledEvent call = convolution("aten::convolution", {{2, 3, 224, 224}, {64, 3, 7, 7}},
                                         settings(/*stride=*/2, /*padding=*/3));
  const OperatorCost cost = cost_of(call);
  EXPECT_THAT(cost.flop, Optional(DoubleEq(2.0 * 2 * 112 * 112 * 64 * 3 * 7 * 7)));
  EXPECT_THAT(cost.bytes,
              Optional(DoubleEq(4.0 * (2 * 3 * 224 * 224 + 64 * 3 * 7 * 7 + 2 * 64 * 112 * 112))));
}

TEST(OperatorCostTest, ADepthwiseConvolutionHasOneInputAnOutput) {
  const ConvolutionSettings how = settings(/*stride=*/1, /*padding=*/1, /*groups=*/32);
  const ProfiledEvent call =
      convolution("aten::convolution", {{4, 32, 10, 12}, {32, 1, 3, 3}}, how);
  EXPECT_THAT(cost_of(call).flop, Optional(DoubleEq(2.0 * 4 * 10 * 12 * 32 * 9)));
  EXPECT_TRUE(is_depthwise(call.shapes[0], how));
  EXPECT_FALSE(is_depthwise(call.shapes[0], settings(1, 1, /*groups=*/4)));
}

TEST(OperatorCostTest, TheBackwardPassHasAsMuchForEachGradientThatIsAskedFor) {
  ConvolutionSettings how = settings(/*stride=*/2, /*padding=*/1);
  std::vector<Shape> shapes{{4, 16, 5, 6}, {4, 8, 10, 12}, {16, 8, 3, 3}};
  const double one = 2.0 * 4 * 5 * 6 * 16 * 8 * 9;
  EXPECT_THAT(cost_of(convolution("aten::convolution_backward", shapes, how)).flop,
              Optional(DoubleEq(2 * one)));
  how.data_gradient = false;
  EXPECT_THAT(cost_of(convolution("aten::convolution_backward", shapes, how)).flop,
              Optional(DoubleEq(one)));
}

TEST(OperatorCostTest, MatrixProducts) {
  ProfiledEvent call{.name = "aten::addmm",
                     .shapes = {{10}, {32, 512}, {512, 10}},
                     .dtypes = {"c10::BFloat16", "c10::BFloat16", "c10::BFloat16"}};
  EXPECT_THAT(cost_of(call).flop, Optional(DoubleEq(2.0 * 32 * 512 * 10)));
  EXPECT_THAT(cost_of(call).bytes, Optional(DoubleEq(2.0 * (32 * 512 + 512 * 10 + 32 * 10))));
  call = {.name = "aten::bmm", .shapes = {{3, 4, 5}, {3, 5, 6}}, .dtypes = {"float", "float"}};
  EXPECT_THAT(cost_of(call).flop, Optional(DoubleEq(2.0 * 3 * 4 * 5 * 6)));
}

TEST(OperatorCostTest, OthersMoveTheirTensorsAndMultiplyNothing) {
  const ProfiledEvent call{.name = "aten::relu", .shapes = {{2, 3}}, .dtypes = {"float"}};
  EXPECT_FALSE(cost_of(call).flop);
  EXPECT_THAT(cost_of(call).bytes, Optional(DoubleEq(4.0 * 6 * 2)));
}

TEST(OperatorCostTest, WhatIsNotKnownIsNotGuessed) {
  const auto unknown = [](const ProfiledEvent& call) {
    return !cost_of(call).flop && !cost_of(call).bytes;
  };
  EXPECT_TRUE(unknown({.name = "aten::convolution"}));
  EXPECT_TRUE(unknown({.name = "aten::convolution",
                       .shapes = {{1, 1}, {1}},
                       .dtypes = {"float", "float"},
                       .convolution = settings(1, 1)}));
  EXPECT_TRUE(unknown({.name = "aten::mm", .shapes = {{3}, {3}}, .dtypes = {"float", "float"}}));
  EXPECT_TRUE(unknown({.name = "aten::conv2d"}));  // what it calls has the cost
  EXPECT_TRUE(unknown({.name = "ConvolutionBackward0", .shapes = {{2}}, .dtypes = {"float"}}));
}

TEST(OperatorCostTest, ATransposedConvolutionIsLarger) {
  ConvolutionSettings how = settings(/*stride=*/2, /*padding=*/1);
  how.transposed = true;
  EXPECT_THAT(convolution_output({2, 8, 5, 5}, {8, 4, 4, 4}, how), ElementsAre(2, 4, 10, 10));
}

TEST(OperatorNamesTest, PartsOfAStepHaveTheirKinds) {
  EXPECT_THAT(kind_of(device::StepPart::optimizer), Optional(OperatorKind::optimizer));
  EXPECT_FALSE(kind_of(device::StepPart::forward_and_backward));
  EXPECT_TRUE(is_copy("aten::copy_"));
  EXPECT_FALSE(is_operator("autograd::engine::evaluate_function: AddBackward0"));
  EXPECT_EQ(dtype_name("c10::BFloat16"), "bfloat16");
  EXPECT_EQ(dtype_name("a new type"), "a new type");
  EXPECT_EQ(bytes_of_dtype("a new type"), 0);
}

}  // namespace
}  // namespace mpbench::profile

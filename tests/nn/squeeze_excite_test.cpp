#include "../../src/nn/layers/squeeze_excite.hpp"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

constexpr int channels = 24;
constexpr int squeezed = 6;

struct Pass {
  torch::Tensor output;
  std::vector<torch::Tensor> gradients;  ///< of the input, then of the parameters
};

/// A pass through one form, with the same random weights, input and gradient in either.
Pass pass_through(SqueezeExciteForm form, torch::ScalarType autocast = torch::kFloat,
                  bool channels_last = false) {
  torch::manual_seed(3);
  SqueezeExcite layer(channels, squeezed, Activation::silu, form);
  const auto layout = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const torch::Tensor input = torch::randn({3, channels, 5, 7}).contiguous(layout).requires_grad_();
  const torch::Tensor output_gradient = torch::randn({3, channels, 5, 7});
  const bool enabled = autocast != torch::kFloat;
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
  if (enabled) at::autocast::set_autocast_dtype(at::kCPU, autocast);
  const torch::Tensor output = layer.forward(enabled ? input.to(autocast) : input);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  output.backward(output_gradient.to(output.scalar_type()));
  Pass pass{output.detach(), {input.grad()}};
  for (const auto& parameter : layer.parameters()) pass.gradients.push_back(parameter.grad());
  return pass;
}

/// The largest difference, over the largest value.
double difference(const torch::Tensor& a, const torch::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  EXPECT_EQ(a.scalar_type(), b.scalar_type());
  const torch::Tensor reference = b.to(torch::kDouble);
  return ((a.to(torch::kDouble) - reference).abs().max() / reference.abs().max()).item<double>();
}

double difference(const Pass& a, const Pass& b) {
  EXPECT_EQ(a.gradients.size(), b.gradients.size());
  double largest = difference(a.output, b.output);
  for (std::size_t i = 0; i < b.gradients.size(); ++i) {
    largest = std::max(largest, difference(a.gradients[i], b.gradients[i]));
  }
  return largest;
}

TEST(SqueezeExciteTest, BothFormsGiveTheSameValuesAndGradients) {
  for (const bool channels_last : {false, true}) {
    const Pass conv = pass_through(SqueezeExciteForm::conv, torch::kFloat, channels_last);
    const Pass linear = pass_through(SqueezeExciteForm::linear, torch::kFloat, channels_last);
    EXPECT_LT(difference(linear, conv), 1e-5);
    EXPECT_TRUE(!channels_last || linear.output.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(SqueezeExciteTest, BothFormsAgreeUnderAutocastAsFarAsTheDtypeGoes) {
  // Four roundings to 8 and 11 bits.
  constexpr double bfloat16_tolerance = 4 * 0x1p-8;
  constexpr double float16_tolerance = 4 * 0x1p-11;
  const auto differ = [](torch::ScalarType dtype) {
    const Pass linear = pass_through(SqueezeExciteForm::linear, dtype);
    EXPECT_EQ(linear.output.scalar_type(), dtype);
    EXPECT_EQ(linear.gradients.back().scalar_type(), torch::kFloat);
    return difference(linear, pass_through(SqueezeExciteForm::conv, dtype));
  };
  EXPECT_LT(differ(torch::kBFloat16), bfloat16_tolerance);
  EXPECT_LT(differ(torch::kHalf), float16_tolerance);
}

TEST(SqueezeExciteTest, ScalesChannelsByTheFormulaOfThePaper) {
  torch::manual_seed(3);
  SqueezeExcite layer(channels, squeezed, Activation::relu6, SqueezeExciteForm::linear);
  const auto parameters = layer.named_parameters();
  const torch::Tensor input = torch::randn({2, channels, 4, 4});
  const torch::Tensor hidden =
      (torch::matmul(input.mean({2, 3}),
                     parameters["fc1.weight"].reshape({squeezed, channels}).t()) +
       parameters["fc1.bias"])
          .clamp(0, 6);
  const torch::Tensor scale =
      1 / (1 + (-torch::matmul(hidden, parameters["fc2.weight"].reshape({channels, squeezed}).t()) -
                parameters["fc2.bias"])
                   .exp());
  EXPECT_TRUE(
      torch::allclose(layer.forward(input), input * scale.view({2, channels, 1, 1}), 1e-4, 1e-6));
}

TEST(SqueezeExciteTest, RefusesAnUnknownFormWithTheChoices) {
  const auto parse = [](std::string_view text) {
    return parse_enum<SqueezeExciteForm>(text, "squeeze-excite");
  };
  EXPECT_EQ(parse("textbook"), SqueezeExciteForm::linear);
  EXPECT_EQ(parse("transformed"), SqueezeExciteForm::conv);
  EXPECT_THAT([&] { (void)parse("se"); }, testing::ThrowsMessage<UsageError>(
                                              "squeeze-excite se: choose transformed or textbook"));
}

}  // namespace
}  // namespace mpbench::nn

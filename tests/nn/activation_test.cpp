#include "../../src/nn/layers/activation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/efficientnet_options.hpp"

namespace mpbench::nn {
namespace {

TEST(ActivationTest, GivesTheValuesOfItsDefinition) {
  const auto values = [](Activation activation) {
    return activate(torch::tensor({-2.0, 0.0, 3.0, 7.0}), activation);
  };
  EXPECT_TRUE(torch::equal(values(Activation::none), torch::tensor({-2.0, 0.0, 3.0, 7.0})));
  EXPECT_TRUE(torch::equal(values(Activation::relu), torch::tensor({0.0, 0.0, 3.0, 7.0})));
  EXPECT_TRUE(torch::equal(values(Activation::relu6), torch::tensor({0.0, 0.0, 3.0, 6.0})));
  // x / (1 + exp(-x))
  EXPECT_TRUE(torch::allclose(values(Activation::silu),
                              torch::tensor({-0.2384058, 0.0, 2.8577224, 6.9936224})));
}

TEST(ActivationTest, RefusesAnUnknownNameWithTheChoices) {
  const auto parse = [](std::string_view text) {
    return parse_enum<Activation>(text, "activation");
  };
  EXPECT_EQ(parse("silu"), Activation::silu);
  EXPECT_EQ(parse("relu6"), Activation::relu6);
  EXPECT_THAT([&] { (void)parse("gelu"); },
              testing::ThrowsMessage<UsageError>("activation gelu: choose silu or relu6"));
}

}  // namespace
}  // namespace mpbench::nn

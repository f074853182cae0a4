#include "mpbench/nn/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

TEST(ModelTest, RefusesAnUnknownNameWithTheChoices) {
  EXPECT_THAT(
      [] { (void)make_model({.name = "cnm"}); },
      testing::ThrowsMessage<UsageError>(testing::HasSubstr("unknown model 'cnm': choose cnn")));
}

TEST(ModelTest, SameSeedGivesTheSameWeights) {
  const auto first_weight = [](std::uint64_t seed) {
    torch::manual_seed(seed);
    return make_model({})->parameters().front().clone();
  };
  EXPECT_TRUE(torch::equal(first_weight(3), first_weight(3)));
  EXPECT_FALSE(torch::equal(first_weight(3), first_weight(4)));
}

TEST(ModelTest, ChannelsLastChangesTheLayoutAndNotTheValues) {
  const auto model = make_model({.in_channels = 1, .outputs = 2});
  model->eval();
  const torch::Tensor images = torch::rand({2, 1, 32, 32});
  const torch::Tensor before = model->forward(images);
  to_channels_last(*model);
  for (const auto& parameter : model->parameters()) {
    if (parameter.dim() == 4) {
      EXPECT_TRUE(parameter.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  EXPECT_TRUE(torch::allclose(
      before, model->forward(images.contiguous(at::MemoryFormat::ChannelsLast)), 1e-4, 1e-5));
}

}  // namespace
}  // namespace mpbench::nn

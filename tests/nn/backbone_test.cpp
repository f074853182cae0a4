#include "mpbench/nn/backbone.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "support/head_parameters.hpp"

namespace mpbench::nn {
namespace {

TEST(BackboneTest, IsAllButTheHead) {
  for (const char* name : {"cnn", "resnet18", "efficientnet-b0"}) {
    const auto model = make_model({.name = name, .outputs = 7});
    const auto head = head_parameters(*model);
    ASSERT_EQ(head.size(), 2U) << name;
    EXPECT_EQ(head[0].size(0), 7);
    EXPECT_EQ(head[1].numel(), 7);
    EXPECT_EQ(backbone_parameters(*model).size() + 2, model->parameters().size());
  }
}

TEST(BackboneTest, TakesNoGradientsWhileItIsFrozen) {
  const auto model = make_model({.name = "cnn", .outputs = 2});
  const auto train = [&] {
    model->zero_grad();
    model->forward(torch::rand({2, 1, 16, 16})).sum().backward();
  };
  train();
  set_backbone_trainable(*model, false);
  for (const auto& parameter : backbone_parameters(*model)) {
    EXPECT_FALSE(parameter.grad().defined()) << "an optimizer would apply it";
  }
  EXPECT_EQ(count_parameters(*model), 128 * 2 + 2);
  train();
  for (const auto& parameter : backbone_parameters(*model)) {
    EXPECT_FALSE(parameter.grad().defined());
  }
  for (const auto& parameter : head_parameters(*model)) EXPECT_TRUE(parameter.grad().defined());
  set_backbone_trainable(*model, true);
  train();
  for (const auto& parameter : model->parameters()) EXPECT_TRUE(parameter.grad().defined());
}

TEST(BackboneTest, KeepsTheRunningStatisticsOfAFrozenOne) {
  const auto model = make_model({.name = "efficientnet-b0", .outputs = 2});
  const auto means = [&] {
    std::vector<at::Tensor> copies;
    for (const auto& buffer : model->named_buffers()) {
      if (buffer.key().ends_with("running_mean")) copies.push_back(buffer.value().clone());
    }
    return copies;
  };
  const at::Tensor images = torch::rand({4, 1, 32, 32});
  const auto unchanged = [&](bool backbone_frozen) {
    const auto before = means();
    train_mode(*model, backbone_frozen);
    (void)model->forward(images);
    std::size_t count = 0;
    const auto after = means();
    for (std::size_t i = 0; i < before.size(); ++i) count += at::equal(before[i], after[i]) ? 1 : 0;
    return count;
  };
  const std::size_t all = means().size();
  EXPECT_EQ(unchanged(true), all);
  EXPECT_TRUE(model->is_training()) << "dropout before the head acts as ever";
  EXPECT_EQ(unchanged(false), 0U);
  EXPECT_EQ(unchanged(true), all) << "also when it was trained before";
}

}  // namespace
}  // namespace mpbench::nn

#include "mpbench/nn/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ModelTest, RefusesAnUnknownNameWithTheChoices) {
  EXPECT_THAT([] { (void)make_model({.name = "resnet19"}); },
              ThrowsMessage<UsageError>(HasSubstr("unknown model 'resnet19': choose cnn, resnet18, "
                                                  "resnet50, efficientnet-b0, ")));
  EXPECT_THROW((void)native_resolution("resnet19"), UsageError);
}

TEST(ModelTest, RefusesUnknownOptions) {
  EXPECT_THAT([] { (void)make_model({.name = "efficientnet-b0", .activation = "gelu"}); },
              ThrowsMessage<UsageError>(HasSubstr("activation gelu: choose silu or relu6")));
  EXPECT_THAT(
      [] { (void)make_model({.name = "efficientnet-b0", .squeeze_excite = "none"}); },
      ThrowsMessage<UsageError>(HasSubstr("squeeze-excite none: choose transformed or textbook")));
}

TEST(ModelTest, RefusesAnEfficientNetsOptionsForOthers) {
  EXPECT_THAT([] { (void)make_model({.name = "resnet18", .activation = "relu6"}); },
              ThrowsMessage<UsageError>(
                  "activation 'relu6' is for EfficientNet: resnet18 has no such choice"));
  EXPECT_THAT([] { (void)make_model({.name = "cnn", .squeeze_excite = "textbook"}); },
              ThrowsMessage<UsageError>(
                  "squeeze-excite 'textbook' is for EfficientNet: cnn has no such choice"));
  EXPECT_NO_THROW(require_model_options({.name = "resnet18"}));
  EXPECT_NO_THROW(require_model_options(
      {.name = "efficientnet-b7", .activation = "relu6", .squeeze_excite = "textbook"}));
}

TEST(ModelTest, OptionsReachTheModel) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::rand({2, 1, 32, 32});
  const auto logits = [&](const std::string& activation, const std::string& squeeze_excite) {
    torch::manual_seed(1);
    const auto model = make_model(
        {.name = "efficientnet-b0", .activation = activation, .squeeze_excite = squeeze_excite});
    model->eval();
    return model->forward(images);
  };
  const torch::Tensor silu = logits("silu", "transformed");
  const auto difference = [&](const torch::Tensor& other) {
    return ((other - silu).abs().max() / silu.abs().max()).item<double>();
  };
  EXPECT_GT(difference(logits("relu6", "transformed")), 0.1);
  EXPECT_LT(difference(logits("silu", "textbook")), 1e-4);
}

TEST(ModelTest, KnowsTheSizesOfThePaper) {
  std::vector<int> sizes;
  for (const auto& name : model_names()) sizes.push_back(native_resolution(name));
  EXPECT_THAT(sizes, testing::ElementsAre(0, 0, 0, 224, 240, 260, 300, 380, 456, 528, 600));
}

TEST(ModelTest, SameSeedGivesTheSameWeights) {
  const auto first_weight = [](std::uint64_t seed) {
    torch::manual_seed(seed);
    return make_model({})->parameters().front().clone();
  };
  EXPECT_TRUE(torch::equal(first_weight(3), first_weight(3)));
  EXPECT_FALSE(torch::equal(first_weight(3), first_weight(4)));
}

TEST(ModelTest, CountsWhatTakesGradients) {
  const auto model = make_model({.in_channels = 1, .outputs = 10});
  const std::int64_t all = count_parameters(*model);
  model->named_parameters()["classifier.bias"].set_requires_grad(false);
  EXPECT_EQ(count_parameters(*model), all - 10);
}

/// Whether LibTorch itself trains the network on such a batch.
bool trains(const std::string& name, int height, int width, int batch_size) {
  const auto model = make_model({.name = name, .in_channels = 1, .outputs = 1});
  model->train();
  const torch::NoGradGuard no_grad;
  try {
    (void)model->forward(torch::rand({batch_size, 1, height, width}));
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

bool is_accepted(const std::string& name, int height, int width, int batch_size) {
  try {
    require_norm_values(name, height, width, batch_size);
    return true;
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::ContainsRegex("--(image|batch)-size"));
    return false;
  }
}

TEST(ModelTest, RefusesTheImagesThatLibTorchCannotTrainOn) {
  for (const char* name : {"cnn", "resnet18", "resnet50", "efficientnet-b0"}) {
    for (const int batch_size : {1, 2}) {
      for (const auto& [height, width] : std::vector<std::pair<int, int>>{
               {8, 8}, {15, 16}, {16, 15}, {16, 16}, {32, 32}, {33, 32}, {32, 33}, {64, 16}}) {
        EXPECT_EQ(is_accepted(name, height, width, batch_size),
                  trains(name, height, width, batch_size))
            << name << ", " << batch_size << " of " << height << " x " << width;
      }
    }
  }
}

class ModelLayoutTest : public testing::TestWithParam<std::string> {};

TEST_P(ModelLayoutTest, ChannelsLastChangesTheLayoutAndNotTheValues) {
  const auto model = make_model({.name = GetParam(), .in_channels = 1, .outputs = 2});
  model->eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::rand({2, 1, 32, 32});
  const torch::Tensor before = model->forward(images);
  to_channels_last(*model);
  for (const auto& parameter : model->named_parameters()) {
    if (parameter->dim() != 4) continue;
    // Also of one channel or one pixel, where is_contiguous() is true of either layout.
    const auto sizes = parameter->sizes();
    EXPECT_EQ(parameter->strides(), (std::vector<std::int64_t>{sizes[1] * sizes[2] * sizes[3], 1,
                                                               sizes[3] * sizes[1], sizes[1]}))
        << parameter.key();
  }
  EXPECT_TRUE(torch::allclose(before, model->forward(images), 1e-4, 1e-5));
}

TEST_P(ModelLayoutTest, ChannelsLastHoldsThroughTheNetwork) {
  const auto model = make_model({.name = GetParam(), .in_channels = 1, .outputs = 2});
  to_channels_last(*model);
  const auto stem = model->named_modules()[model->stem()];
  const torch::Tensor maps =
      std::dynamic_pointer_cast<torch::nn::Conv2dImpl>(stem)->forward(torch::rand({2, 1, 32, 32}));
  EXPECT_EQ(maps.suggest_memory_format(), at::MemoryFormat::ChannelsLast);
}

INSTANTIATE_TEST_SUITE_P(Models, ModelLayoutTest,
                         testing::Values("cnn", "resnet18", "resnet50", "efficientnet-b0"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace mpbench::nn

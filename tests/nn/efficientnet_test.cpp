#include "mpbench/nn/efficientnet.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <map>

#include "mpbench/core/error.hpp"

namespace mpbench::nn {
namespace {

TEST(EfficientNetTest, HasThePublishedNumbersOfParameters) {
  // B5 to B7 are left to the parity test: making them takes a second.
  const std::map<std::string_view, std::int64_t> published{{"efficientnet-b0", 5'288'548},
                                                           {"efficientnet-b1", 7'794'184},
                                                           {"efficientnet-b2", 9'109'994},
                                                           {"efficientnet-b3", 12'233'232},
                                                           {"efficientnet-b4", 19'341'616}};
  for (const auto& [name, parameters] : published) {
    EXPECT_EQ(count_parameters(EfficientNet(*find_efficientnet(name), 3, 1000)), parameters)
        << name;
  }
}

TEST(EfficientNetTest, TakesGreyAndColourImagesOfAnySize) {
  const torch::NoGradGuard no_grad;
  const auto& b0 = *find_efficientnet("efficientnet-b0");
  EXPECT_EQ(EfficientNet(b0, 1, 1).forward(torch::rand({2, 1, 40, 33})).sizes(),
            (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(EfficientNet(b0, 3, 7).forward(torch::rand({2, 3, 32, 64})).sizes(),
            (std::vector<std::int64_t>{2, 7}));
}

TEST(EfficientNetTest, IsRandomInTrainingAndNotInEvaluation) {
  EfficientNet model(*find_efficientnet("efficientnet-b0"), 3, 10);
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::rand({4, 3, 32, 32});
  EXPECT_FALSE(torch::equal(model.forward(images), model.forward(images)));
  model.eval();
  EXPECT_TRUE(torch::equal(model.forward(images), model.forward(images)));
}

TEST(EfficientNetTest, TakesTheDetailsOfItsOrigin) {
  const auto norm_of = [](const ImageClassifier& model) {
    for (const auto& module : model.modules(/*include_self=*/false)) {
      if (const auto* norm = module->as<torch::nn::BatchNorm2d>()) return norm->options;
    }
    return torch::nn::BatchNormOptions(0);
  };
  EfficientNet model(*find_efficientnet("efficientnet-b5"), 3, 2);
  EXPECT_EQ(norm_of(model).eps(), 1e-3);
  EXPECT_EQ(norm_of(model).momentum(), 0.01);
  model.set_origin(EfficientNetOrigin::timm);
  EXPECT_EQ(norm_of(model).eps(), 1e-5);
  EXPECT_EQ(norm_of(model).momentum(), 0.1);
  set_origin(model, "timm-tf");
  EXPECT_EQ(norm_of(model).eps(), 1e-3);
  EXPECT_EQ(norm_of(model).momentum(), 0.1);
  EXPECT_EQ(origin_of(model), "timm-tf");
  set_origin(model, "torchvision");
  EXPECT_EQ(norm_of(model).momentum(), 0.01);
  EXPECT_THROW(set_origin(*make_model({.name = "cnn"}), "timm"), UsageError);
  EXPECT_THROW((void)make_model({.name = "resnet18", .origin = "timm"}), UsageError);
  EXPECT_THROW(set_origin(model, "keras"), UsageError);
}

TEST(EfficientNetTest, IsFoundByItsWholeName) {
  EXPECT_EQ(efficientnet_variants().size(), 8U);
  EXPECT_EQ(find_efficientnet("efficientnet-b5")->name, "efficientnet-b5");
  EXPECT_EQ(find_efficientnet("efficientnet"), nullptr);
  EXPECT_EQ(find_efficientnet("efficientnet-b8"), nullptr);
}

}  // namespace
}  // namespace mpbench::nn

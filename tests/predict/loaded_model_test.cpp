#include "mpbench/predict/loaded_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <functional>
#include <limits>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/nn/weights.hpp"
#include "mpbench/train/trainer.hpp"
#include "support/matchers.hpp"
#include "support/state_dict_file.hpp"
#include "support/temporary_folder.hpp"
#include "support/toy_images.hpp"

namespace mpbench::predict {

using train::Checkpoint;
using train::toy_images;
using train::TrainConfig;
using train::Trainer;
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Checkpoint fresh_checkpoint() {
  const data::ImageDataset images = toy_images(24);
  return Trainer({.batch_size = 4, .ema_decay = 0.9, .device = "cpu"}, images).checkpoint();
}

TEST(LoadedModelTest, TakesEverythingFromACheckpoint) {
  const Checkpoint checkpoint = fresh_checkpoint();
  const LoadedModel network = load_model(checkpoint, "c");
  EXPECT_EQ(network.options.name, "cnn");
  EXPECT_THAT(network.classes, ElementsAre("negative", "cancer"));
  EXPECT_EQ(network.dataset, "toy");
  EXPECT_EQ(network.height, 16);
  EXPECT_EQ(network.width, 16);
  ASSERT_TRUE(network.normalization.has_value());
  EXPECT_EQ(network.normalization->mean, checkpoint.state.at("mean").get<std::vector<float>>());
  EXPECT_EQ(network.batch_size, 4);
  EXPECT_TRUE(network.channels_last);
  EXPECT_THAT(network.description, HasSubstr("cnn of 2 classes, averaged weights, after 0 epochs"));
  EXPECT_EQ(network.options.origin, "torchvision");
}

TEST(LoadedModelTest, KeepsTheOriginOfItsWeights) {
  const TemporaryFolder folder;
  const auto weights = folder.path() / "tf_efficientnet_b0.safetensors";
  auto state = nn::state_of(*nn::make_model({.name = "efficientnet-b0", .outputs = 1}));
  auto node = state.extract("features.0.0.weight");
  node.key() = "conv_stem.weight";
  state.insert(std::move(node));
  nn::write_state_dict(weights, state);
  const data::ImageDataset images = toy_images(24);
  const TrainConfig config{.model = {.name = "efficientnet-b0"},
                           .weights = weights,
                           .batch_size = 4,
                           .ema_decay = 0.9,
                           .device = "cpu"};
  Trainer trainer(config, images);
  const Checkpoint checkpoint = trainer.checkpoint();
  EXPECT_EQ(checkpoint.state.at("model").at("origin"), "timm-tf");
  const LoadedModel network = load_model(checkpoint, "c");
  EXPECT_EQ(network.options.origin, "timm-tf");
  EXPECT_EQ(nn::origin_of(*network.model), "timm-tf");

  // What goes on from it computes as it did, with or without the file.
  Trainer other(config, images);
  other.restore(checkpoint, "c");
  EXPECT_EQ(other.checkpoint().state.at("model").at("origin"), "timm-tf");
  const auto saved = folder.path() / "last.safetensors";
  write_checkpoint(saved, checkpoint);
  const LoadedModel again = load_weights_file(saved, {.name = "efficientnet-b0", .outputs = 1});
  EXPECT_EQ(again.options.origin, "timm-tf");
  EXPECT_THAT(again.description, HasSubstr("taken from 'ema' (the averaged weights"));
  Checkpoint old = checkpoint;
  old.state["model"].erase("origin");
  EXPECT_EQ(load_model(old, "c").options.origin, "torchvision");
  old.state["model"]["origin"] = "keras";
  EXPECT_THROW((void)load_model(old, "c"), InputError);
}

void expect_refusal(const Checkpoint& checkpoint, const char* field) {
  EXPECT_THAT(
      [&] { (void)load_model(checkpoint, "last.safetensors"); },
      AllOf(ThrowsInputError("last.safetensors", testing::_), ThrowsWith<InputError>(field)));
}

TEST(LoadedModelTest, RefusesAStateThatMakesNoSense) {
  const Checkpoint good = fresh_checkpoint();
  const auto with = [&](const char* pointer, nlohmann::json value) {
    Checkpoint checkpoint = good;
    checkpoint.state[nlohmann::json::json_pointer(pointer)] = std::move(value);
    return checkpoint;
  };
  expect_refusal(with("/model/name", "vgg16"), "vgg16");
  expect_refusal(with("/model/name", 5), "mpbench_state");
  expect_refusal(with("/model/activation", "relu6"), "activation");
  expect_refusal(with("/model/in_channels", 1 << 30), "model/in_channels");
  expect_refusal(with("/model/in_channels", 3), "features.0.weight");
  expect_refusal(with("/model/outputs", 4294967297), "model/outputs");
  expect_refusal(with("/model/outputs", 7), "model/outputs");
  expect_refusal(with("/classes", {"one"}), "classes");
  expect_refusal(with("/height", 1e300), "height");
  expect_refusal(with("/width", 0), "width");
  expect_refusal(with("/deviation", {0.0}), "deviation");
  expect_refusal(with("/mean", {0.1, 0.2}), "mean");
  expect_refusal(with("/mean", nlohmann::json::array()), "deviation");
  expect_refusal(with("/options/precision", "\"fp8\""), "precision");
  expect_refusal(with("/options/batch-size", "0"), "batch-size");
  Checkpoint without = good;
  without.state.erase("options");
  expect_refusal(without, "mpbench_state");
}

TEST(LoadedModelTest, RefusesTensorsThatAreNotTheNetworks) {
  const Checkpoint good = fresh_checkpoint();
  const std::string name = "ema/module." + load_model(good, "c").model->head() + ".weight";
  const auto with = [&](const torch::Tensor& tensor) {
    Checkpoint checkpoint = good;
    checkpoint.tensors[name] = tensor;
    return checkpoint;
  };
  const torch::Tensor head = good.tensors.at(name);
  expect_refusal(with(head.reshape({-1})), name.c_str());
  expect_refusal(with(head.to(torch::kHalf)), name.c_str());
  expect_refusal(with(head / 0), "not finite");
  Checkpoint without = good;
  without.tensors.erase(name);
  expect_refusal(without, "is missing");
  EXPECT_NO_THROW((void)load_model(without, "c", /*averaged=*/false));
}

TEST(LoadedModelTest, AsksAWeightsFileForItsShape) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  nn::save_weights(*nn::make_model({.name = "resnet18", .in_channels = 3, .outputs = 7}), path);
  const WeightsShape shape = read_weights_shape(path, "resnet18");
  EXPECT_EQ(shape.outputs, 7);
  EXPECT_EQ(shape.channels, 3);
  EXPECT_THROW((void)read_weights_shape(path, "efficientnet-b0"), InputError);
  const LoadedModel network =
      load_weights_file(path, {.name = "resnet18", .in_channels = 1, .outputs = 7});
  EXPECT_EQ(network.class_count(), 7);
  EXPECT_FALSE(network.normalization.has_value());
  EXPECT_THAT(network.description, HasSubstr("3 channels to 1"));
  EXPECT_THROW((void)load_weights_file(path, {.name = "resnet18", .outputs = 6}), InputError);
}

class AgreeOnClassesTest : public testing::Test {
 protected:
  void expect_refusal(const data::ImageDataset& set,
                      std::initializer_list<const char*> words) const {
    for (const char* word : words) {
      EXPECT_THAT([&] { (void)agree_on_classes(network, set, "data"); },
                  AllOf(ThrowsInputError("data", testing::_), ThrowsWith<InputError>(word)));
    }
  }
  static data::ImageDataset images(const std::string& dataset, std::vector<std::string> classes) {
    data::ImageDataset set;
    set.dataset = dataset;
    set.classes = std::move(classes);
    return set;
  }
  LoadedModel network{.options = {.in_channels = 1, .outputs = 3}, .classes = {"a", "b", "c"}};
};

TEST_F(AgreeOnClassesTest, NamesWhatDiffers) {
  EXPECT_THAT(agree_on_classes(network, images("folder", {"a", "b", "c"}), "data"),
              ElementsAre("a", "b", "c"));
  expect_refusal(images("folder", {"a", "c", "d"}), {"no class d", "no class b"});
  expect_refusal(images("folder", {"b", "a", "c"}), {"order"});
  expect_refusal(images("folder", {"a", "b"}), {"images have no class c"});
  expect_refusal(images("rsna-test", {"negative", "cancer"}), {"no class negative, cancer"});
  data::ImageDataset colour = images("folder", {"a", "b", "c"});
  colour.channels = 3;
  expect_refusal(colour, {"channels", "3"});
}

TEST_F(AgreeOnClassesTest, TakesTheNamesOfWhoeverKnowsThem) {
  EXPECT_THAT(agree_on_classes(network, images("pictures", {"unlabelled"}), "data"),
              ElementsAre("a", "b", "c"));
  network.classes.clear();
  EXPECT_THAT(agree_on_classes(network, images("pictures", {"unlabelled"}), "data"),
              ElementsAre("0", "1", "2"));
  EXPECT_THAT(agree_on_classes(network, images("folder", {"x", "y", "z"}), "data"),
              ElementsAre("x", "y", "z"));
  expect_refusal(images("folder", {"x", "y"}), {"classes", "2", "3"});
  network.options.outputs = 1;
  EXPECT_THAT(agree_on_classes(network, images("rsna-test", {"negative", "cancer"}), "data"),
              ElementsAre("negative", "cancer"));
}

TEST_F(AgreeOnClassesTest, NumbersMayEndEarlier) {
  network.classes = {"0", "1", "2"};
  EXPECT_THAT(agree_on_classes(network, images("idx", {"0", "1"}), "data"),
              ElementsAre("0", "1", "2"));
  expect_refusal(images("idx", {"0", "1", "2", "3"}), {"no class 3"});
}

}  // namespace
}  // namespace mpbench::predict

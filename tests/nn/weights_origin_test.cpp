#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "mpbench/nn/weights.hpp"
#include "support/state_dict_file.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::nn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// An EfficientNet-B0 whose file has timm's names, as far as they tell which names it has.
class WeightsOriginTest : public testing::Test {
 protected:
  WeightsOriginTest() {
    for (const auto& [name, tensor] : state_of(*efficientnet_)) named_[name] = tensor;
    auto node = named_.extract("features.0.0.weight");
    node.key() = "conv_stem.weight";
    named_.insert(std::move(node));
  }
  std::filesystem::path path(const std::string& name = "net.safetensors") const {
    return folder_.path() / name;
  }
  WeightsReport load(const std::filesystem::path& file) {
    std::filesystem::create_directories(file.parent_path());
    write_state_dict(file, named_);
    return load_weights(*efficientnet_, file);
  }

  std::shared_ptr<ImageClassifier> efficientnet_ =
      make_model({.name = "efficientnet-b0", .in_channels = 3, .outputs = 4});
  TensorsByName named_;

 private:
  TemporaryFolder folder_;
};

TEST_F(WeightsOriginTest, TakesTheOriginsDetails) {
  const WeightsReport tensorflow = load(path("tf_efficientnet_b0.safetensors"));
  EXPECT_TRUE(tensorflow.names_from_timm);
  EXPECT_EQ(tensorflow.origin, "timm-tf");
  EXPECT_EQ(origin_of(*efficientnet_), "timm-tf");
  EXPECT_THAT(tensorflow.line(),
              HasSubstr("names translated from timm's; computed as timm's tf_efficientnet: "
                        "batch norm epsilon 0.001, TensorFlow's padding"));
  EXPECT_THAT(tensorflow.warnings, testing::IsEmpty());
  const WeightsReport plain = load(path("efficientnet_b0_ra-3dd342df.safetensors"));
  EXPECT_EQ(plain.origin, "timm");
  EXPECT_EQ(origin_of(*efficientnet_), "timm");
  EXPECT_THAT(plain.warnings, testing::IsEmpty());
  // A file with torchvision's names is torchvision's, whatever it is called.
  write_state_dict(path("tf_efficientnet_b1.safetensors"), state_of(*efficientnet_));
  EXPECT_EQ(load_weights(*efficientnet_, path("tf_efficientnet_b1.safetensors")).origin,
            "torchvision");
  EXPECT_EQ(origin_of(*efficientnet_), "torchvision");
}

TEST_F(WeightsOriginTest, FindsTheNameInHuggingFacesCache) {
  const auto cache = path("models--timm--tf_efficientnet_b0.ns_jft_in1k");
  const auto blob = cache / "blobs" / "0a1b2c";
  EXPECT_EQ(load(blob).origin, "timm-tf");
  const auto snapshot = cache / "snapshots" / "d4e5f6" / "model.safetensors";
  std::filesystem::create_directories(snapshot.parent_path());
  std::filesystem::create_symlink("../../blobs/0a1b2c", snapshot);
  EXPECT_EQ(load_weights(*efficientnet_, snapshot).origin, "timm-tf");
  const auto link = path("elsewhere.safetensors");
  std::filesystem::create_symlink(snapshot, link);
  EXPECT_EQ(load_weights(*efficientnet_, link).origin, "timm-tf");
  // The nearest name counts.
  EXPECT_EQ(load(cache / "efficientnet_b0.safetensors").origin, "timm");
}

TEST_F(WeightsOriginTest, FindsTheNameInAConfigurationBesideTheFile) {
  std::filesystem::create_directories(path("local"));
  std::ofstream(path("local/config.json")) << R"({"architecture": "tf_efficientnet_b0"})";
  EXPECT_EQ(load(path("local/model.safetensors")).origin, "timm-tf");
  std::ofstream(path("local/config.json")) << R"({"architecture": 5)";
  EXPECT_THAT(load(path("local/model.safetensors")).warnings, testing::SizeIs(1));
}

TEST_F(WeightsOriginTest, WarnsWhereNothingTellsTheOrigin) {
  const WeightsReport report = load(path("weights.safetensors"));
  EXPECT_EQ(report.origin, "timm");
  EXPECT_THAT(report.warnings,
              ElementsAre(AllOf(HasSubstr("the file does not say which of timm's networks this is"),
                                HasSubstr("'tf_efficientnet' in the name of the file"))));
}

TEST_F(WeightsOriginTest, WarnsOfNetworksThatComputeSomethingElseWithTheSameTensors) {
  const auto model = make_model({.name = "resnet18", .in_channels = 3, .outputs = 4});
  const auto state = state_of(*model);
  write_state_dict(path("resnetblur18.safetensors"), state);
  EXPECT_THAT(load_weights(*model, path("resnetblur18.safetensors")).warnings,
              ElementsAre(HasSubstr("'resnetblur18.safetensors' has the same tensors as this")));
  write_state_dict(path("resnet18.safetensors"), state);
  EXPECT_THAT(load_weights(*model, path("resnet18.safetensors")).warnings, testing::IsEmpty());
}

TEST_F(WeightsOriginTest, TakesTheOriginOfACheckpointOfThisProgram) {
  const auto model = make_model({.name = "efficientnet-b0", .in_channels = 3, .outputs = 4});
  const auto state = state_of(*model);
  write_state_dict(path(), state, {{"mpbench_state", R"({"model":{"origin":"timm-tf"}})"}});
  EXPECT_EQ(load_weights(*model, path()).origin, "timm-tf");
  EXPECT_EQ(origin_of(*model), "timm-tf");
  write_state_dict(path(), state, {{"mpbench_state", R"({"model":{"origin":"keras"}})"}});
  EXPECT_THAT([&] { (void)load_weights(*model, path()); },
              ThrowsMessage<InputError>(HasSubstr("model/origin: unknown origin 'keras'")));
}

}  // namespace
}  // namespace mpbench::nn

#include "mpbench/nn/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/backbone.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "support/head_parameters.hpp"
#include "support/matchers.hpp"
#include "support/state_dict_file.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::nn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class WeightsTest : public testing::Test {
 protected:
  std::filesystem::path path(const std::string& name = "net.safetensors") const {
    return folder_.path() / name;
  }
  /// A trained network's state: every tensor has its own values.
  static TensorsByName make_state(const ImageClassifier& model) {
    TensorsByName state;
    for (const auto& [name, tensor] : state_of(model)) {
      state[name] =
          tensor.is_floating_point() ? at::rand_like(tensor).add(0.5) : at::full_like(tensor, 9);
    }
    return state;
  }
  std::filesystem::path write(const TensorsByName& state) const {
    write_state_dict(path(), state);
    return path();
  }
  /// load_weights throws, and leaves every bit of the model as it was.
  void expect_refusal(const TensorsByName& state, const std::string& complaint,
                      const WeightsOptions& options = {}) const {
    const auto model = make_model({.name = "cnn", .outputs = 4});
    const auto before = make_state(*model);
    load_state(*model, before);
    EXPECT_THAT([&] { (void)load_weights(*model, write(state), options); },
                ThrowsWith<InputError>("net.safetensors: " + complaint));
    expect_state(*model, before);
  }
  static void load_state(ImageClassifier& model, const TensorsByName& state) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : state_of(model)) at::Tensor(tensor).copy_(state.at(name));
  }
  static void expect_state(const ImageClassifier& model, const TensorsByName& state) {
    for (const auto& [name, tensor] : state_of(model)) {
      EXPECT_TRUE(at::equal(tensor, state.at(name))) << name;
    }
  }

  std::shared_ptr<ImageClassifier> model_ = make_model({.name = "cnn", .outputs = 4});
  TensorsByName state_ = make_state(*model_);

 private:
  TemporaryFolder folder_;
};

TEST_F(WeightsTest, LoadsEveryTensor) {
  const WeightsReport report = load_weights(*model_, write(state_));
  expect_state(*model_, state_);
  EXPECT_EQ(report.loaded, static_cast<std::int64_t>(state_.size()));
  EXPECT_EQ(report.line(), "net.safetensors: 26 tensors loaded");
  for (const auto& parameter : model_->parameters()) EXPECT_TRUE(parameter.requires_grad());
}

TEST_F(WeightsTest, LoadsWhatItSaved) {
  load_state(*model_, state_);
  to_channels_last(*model_);
  save_weights(*model_, path(), {{"model", "cnn"}});
  const auto other = make_model({.name = "cnn", .outputs = 4});
  (void)load_weights(*other, path());
  expect_state(*other, state_);
}

TEST_F(WeightsTest, KeepsTheModelsLayout) {
  to_channels_last(*model_);
  (void)load_weights(*model_, write(state_));
  expect_state(*model_, state_);
  for (const auto& parameter : model_->parameters()) {
    if (parameter.dim() == 4) {
      EXPECT_TRUE(parameter.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST_F(WeightsTest, LeavesOutAHeadOfOtherClassesAndSaysSo) {
  const auto model = make_model({.name = "cnn", .outputs = 2});
  const at::Tensor before = head_parameters(*model)[0].clone();
  const WeightsReport report = load_weights(*model, write(state_));
  EXPECT_EQ(report.line(),
            "net.safetensors: 24 tensors loaded; head classifier left out: 4 classes in the file, "
            "2 here");
  EXPECT_TRUE(at::equal(head_parameters(*model)[0], before));
  EXPECT_TRUE(at::equal(backbone_parameters(*model)[0], state_.at("features.0.weight")));
  EXPECT_THAT([&] { (void)load_weights(*model, path(), {.require_head = true}); },
              ThrowsMessage<InputError>(HasSubstr("classifier.weight: 4 classes in the file, 2")));
}

TEST_F(WeightsTest, TakesAFileWithoutAHeadUnlessItIsRequired) {
  state_.erase("classifier.weight");
  expect_refusal(state_, "classifier.weight: the file is of another network");
  state_.erase("classifier.bias");
  const WeightsReport report = load_weights(*model_, write(state_));
  EXPECT_EQ(report.head, "head classifier left as it is: the file has none");
  expect_refusal(state_, "classifier.bias: the file is of another network", {.require_head = true});
}

TEST_F(WeightsTest, SumsTheStemOverColoursForGreyImages) {
  const auto colour = make_model({.name = "cnn", .in_channels = 3, .outputs = 4});
  load_state(*colour, make_state(*colour));
  save_weights(*colour, path());
  const WeightsReport report = load_weights(*model_, path());
  EXPECT_EQ(report.stem, "features.0 adapted from 3 channels to 1: summed over the channels");
  model_->eval();
  colour->eval();
  const at::Tensor grey = torch::rand({2, 1, 32, 32});
  EXPECT_TRUE(at::allclose(model_->forward(grey), colour->forward(grey.expand({2, 3, 32, 32})),
                           1e-4, 1e-4));
}

TEST_F(WeightsTest, SpreadsTheStemOverColoursForColourImages) {
  load_state(*model_, state_);
  save_weights(*model_, path());
  const auto colour = make_model({.name = "cnn", .in_channels = 3, .outputs = 4});
  const WeightsReport report = load_weights(*colour, path());
  EXPECT_EQ(report.stem, "features.0 adapted from 1 channel to 3: a third of its weights for each");
  model_->eval();
  colour->eval();
  const at::Tensor grey = torch::rand({2, 1, 32, 32});
  EXPECT_TRUE(at::allclose(colour->forward(grey.expand({2, 3, 32, 32})), model_->forward(grey),
                           1e-4, 1e-4));
}

TEST_F(WeightsTest, RefusesOtherNumbersOfChannels) {
  state_.at("features.0.weight") = torch::rand({32, 4, 3, 3});
  expect_refusal(state_, "features.0.weight: expected shape [32, 1, 3, 3], found [32, 4, 3, 3]");
}

TEST_F(WeightsTest, ConvertsFloatingPointDtypesAndSaysSo) {
  state_.at("features.0.weight") = state_.at("features.0.weight").to(at::kHalf);
  state_.at("features.4.weight") = state_.at("features.4.weight").to(at::kHalf);
  state_.at("classifier.weight") = state_.at("classifier.weight").to(at::kBFloat16);
  state_.at("classifier.bias") = state_.at("classifier.bias").to(at::kDouble);
  state_.at("features.1.num_batches_tracked") = torch::tensor(9.0F);
  const WeightsReport report = load_weights(*model_, write(state_));
  EXPECT_THAT(report.converted,
              ElementsAre("1 tensor from bfloat16 to float32", "2 tensors from float16 to float32",
                          "1 tensor from float32 to int64", "1 tensor from float64 to float32"));
  for (const auto& [name, tensor] : state_of(*model_)) {
    EXPECT_TRUE(at::equal(tensor, state_.at(name).to(tensor.scalar_type()))) << name;
  }
}

TEST_F(WeightsTest, RefusesDtypesThatDoNotFit) {
  auto state = state_;
  state.at("classifier.bias") = torch::tensor({1, 2, 3, 4});
  expect_refusal(state, "classifier.bias: expected dtype float32, found int64");
  state = state_;
  state.at("features.1.num_batches_tracked") = torch::tensor(1e30, at::kDouble);
  expect_refusal(state, "features.1.num_batches_tracked: expected dtype int64, found float64");
}

TEST_F(WeightsTest, RefusesValuesThatAreNotFinite) {
  auto state = state_;
  state.at("features.4.weight")[3][2][1][0] = std::numeric_limits<float>::quiet_NaN();
  expect_refusal(state, "features.4.weight: it has values that are not finite numbers in float32");
  state = state_;
  state.at("classifier.bias") = torch::tensor({1.0, 2.0, 3.0, 1e39}, at::kDouble);
  expect_refusal(state, "classifier.bias: it has values that are not finite numbers in float32");
}

TEST_F(WeightsTest, ReshapesWhereTrailingOnesAloneDiffer) {
  const at::Tensor weight = state_.at("classifier.weight");
  state_.at("classifier.weight") = weight.view({4, 128, 1, 1});
  state_.at("features.1.num_batches_tracked") = torch::tensor({9});
  const WeightsReport report = load_weights(*model_, write(state_));
  EXPECT_EQ(report.reshaped, 2);
  state_.at("classifier.weight") = weight;
  state_.at("features.1.num_batches_tracked") = torch::tensor(9);
  expect_state(*model_, state_);
}

TEST_F(WeightsTest, TakesTheHeadOfOtherClassesFromConvolutionsToo) {
  const auto model = make_model({.name = "cnn", .outputs = 2});
  state_.at("classifier.weight") = state_.at("classifier.weight").view({4, 128, 1, 1});
  EXPECT_EQ(load_weights(*model, write(state_)).head,
            "head classifier left out: 4 classes in the file, 2 here");
}

TEST_F(WeightsTest, DoesWithoutCountersOfBatches) {
  std::erase_if(state_, [](const auto& e) { return e.first.ends_with("num_batches_tracked"); });
  EXPECT_EQ(load_weights(*model_, write(state_)).loaded, 22);
}

TEST_F(WeightsTest, NamesWhatIsMissingAndWhatIsLeftOver) {
  auto state = state_;
  state.erase("features.4.weight");
  expect_refusal(state,
                 "features.4.weight: the file is of another network: it lacks 1 tensor "
                 "(features.4.weight) of the network");
  state["extra.weight"] = torch::rand({1});
  expect_refusal(state,
                 "features.4.weight: the file is of another network: it lacks 1 tensor "
                 "(features.4.weight) of the network; it has 1 tensor (extra.weight) that the "
                 "network does not have");
  TensorsByName other;
  for (const auto& [name, tensor] : state_) other["net_" + name] = tensor;
  expect_refusal(
      other,
      "features.0.weight: the file is of another network: it lacks 20 tensors "
      "(features.0.weight, features.1.bias, features.1.running_mean, ...) of the network; it "
      "has 26 tensors (net_classifier.bias, net_classifier.weight, net_features.0.weight, "
      "...) that the network does not have");
}

TEST_F(WeightsTest, NamesWrongShapes) {
  state_.at("features.4.weight") = torch::rand({32, 64, 3, 3});
  state_.at("features.8.weight") = torch::rand({1, 64, 3, 3});
  state_.at("features.9.bias") = torch::rand({1});
  expect_refusal(state_,
                 "features.4.weight: expected shape [64, 32, 3, 3], found [32, 64, 3, 3]; "
                 "also 2 tensors (features.8.weight, features.9.bias)");
  auto wide = make_state(*model_);
  wide.at("classifier.weight") = torch::rand({4, 64});
  expect_refusal(wide, "classifier.weight: expected shape [4, 128], found [4, 64]");
}

TEST_F(WeightsTest, SaysWhatWasAroundTheNetwork) {
  TensorsByName wrapped{{"n_averaged", torch::tensor(3)}};
  for (const auto& [name, tensor] : state_) wrapped["module." + name] = tensor;
  const WeightsReport report = load_weights(*model_, write(wrapped));
  EXPECT_EQ(report.line(),
            "net.safetensors: 26 tensors loaded; names without 'module.'; 1 others skipped "
            "(n_averaged)");
  expect_state(*model_, state_);
}

TEST_F(WeightsTest, FindsTheNetworkUnderAnyPrefix) {
  TensorsByName all{{"criterion.weight", torch::rand({4})},
                    {"projector.0.weight", torch::rand({2})}};
  for (const auto& [name, tensor] : state_) all["learner.net." + name] = tensor;
  const WeightsReport report = load_weights(*model_, write(all));
  EXPECT_EQ(report.prefix, "learner.net.");
  EXPECT_THAT(report.skipped, ElementsAre("criterion.weight", "projector.0.weight"));
  expect_state(*model_, state_);
}

TEST_F(WeightsTest, TakesTheAveragedOfTwoPrefixesAndRefusesToGuess) {
  TensorsByName both;
  for (const auto& [name, tensor] : state_) {
    both["ema_model." + name] = tensor;
    both["online_model." + name] = at::zeros_like(tensor);
  }
  EXPECT_THAT(load_weights(*model_, write(both)).line(),
              HasSubstr("the averaged weights; the file also has 'online_model.'"));
  expect_state(*model_, state_);
  TensorsByName beside = state_;
  for (const auto& [name, tensor] : state_) beside["momentum." + name] = at::zeros_like(tensor);
  EXPECT_THAT(load_weights(*model_, write(beside)).line(),
              HasSubstr("the network without a prefix; the file also has 'momentum.'"));
  expect_state(*model_, state_);
  TensorsByName pair;
  for (const auto& [name, tensor] : state_) pair["left." + name] = pair["right." + name] = tensor;
  expect_refusal(pair, "names: the file has several such networks, under 'left.', 'right.'");
}

TEST_F(WeightsTest, LeavesTensorsOfALossAside) {
  for (const char* name :
       {"criterion.weight", "loss_fn.pos_weight", "val_auroc.thresholds", "class_weights"}) {
    auto state = state_;
    state[name] = torch::rand({4});
    EXPECT_THAT(load_weights(*model_, write(state)).skipped, ElementsAre(name));
  }
  auto state = state_;
  state["features.loss.weight"] = torch::rand({4});  // within the network
  expect_refusal(state, "features.loss.weight: the file is of another network");
}

TEST_F(WeightsTest, MakesOneOutputOfTwoThatSaysTheSame) {
  const auto two = make_model({.name = "cnn", .outputs = 2});
  load_state(*two, make_state(*two));
  save_weights(*two, path());
  const auto one = make_model({.name = "cnn", .outputs = 1});
  const WeightsReport report = load_weights(*one, path());
  EXPECT_EQ(report.head, "");
  EXPECT_THAT(report.line(), HasSubstr("head classifier: its two outputs became one"));
  one->eval();
  two->eval();
  const torch::NoGradGuard no_grad;
  const at::Tensor images = torch::randn({8, 1, 32, 32});
  EXPECT_TRUE(at::allclose(one->forward(images).sigmoid().squeeze(1),
                           two->forward(images).softmax(1).select(1, 1), 1e-5, 1e-6));
  EXPECT_EQ(load_weights(*one, path(), {.require_head = true}).head, "");
}

TEST_F(WeightsTest, TakesTheHeadOutOfASequential) {
  for (const std::string layer : {"classifier.1", "classifier.0.fc"}) {
    auto state = state_;
    for (const std::string part : {".weight", ".bias"}) {
      auto node = state.extract("classifier" + part);
      node.key() = layer + part;
      state.insert(std::move(node));
    }
    const WeightsReport report = load_weights(*model_, write(state), {.require_head = true});
    EXPECT_THAT(report.notes, ElementsAre("head " + layer + " taken for classifier"));
    expect_state(*model_, state_);
  }
}

TEST_F(WeightsTest, LeavesAHeadOfAnotherKindOut) {
  auto state = state_;
  state.erase("classifier.weight");
  state.erase("classifier.bias");
  state["classifier.0.weight"] = torch::rand({64, 128});
  state["classifier.0.bias"] = torch::rand({64});
  state["classifier.2.weight"] = torch::rand({4, 64});
  EXPECT_EQ(load_weights(*model_, write(state)).head,
            "head classifier left as it is: the file has another kind, 3 tensors "
            "(classifier.0.bias, classifier.0.weight, classifier.2.weight)");
  expect_refusal(state, "classifier.bias: the file is of another network: it lacks 2 tensors",
                 {.require_head = true});
}

}  // namespace
}  // namespace mpbench::nn

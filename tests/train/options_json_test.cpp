#include "mpbench/train/options_json.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "mpbench/io/toml_text.hpp"
#include "support/matchers.hpp"

namespace mpbench::train {
namespace {

TrainConfig with_many_changes() {
  return {.data = {.dataset = "folder", .path = "a \"quoted\" path"},
          .batch_size = 8,
          .precision = Precision::bf16,
          .optimizer = {.kind = OptimizerKind::sgd, .lr = 1e-5, .momentum = 0.5},
          .loss = {.kind = LossKind::focal},
          .seed = largest_seed,
          .channels_last = false,
          .balance = Balance::weight,
          .depthwise = kernels::DepthwiseBackend::fp32};
}

TEST(OptionsJsonTest, EveryOptionReadsBack) {
  const TrainConfig config = with_many_changes();
  const nlohmann::json saved = nlohmann::json::parse(options_to_json(config).dump());
  EXPECT_EQ(to_toml(options_from_json(saved, "file")), to_toml(config));
  EXPECT_EQ(saved.at("batch-size"), 8);
  EXPECT_EQ(saved.at("channels-last"), false);
  EXPECT_EQ(saved.at("optimizer"), "sgd");
}

TEST(OptionsJsonTest, ReadsTheTomlTextOfEarlierVersions) {
  const TrainConfig config = with_many_changes();
  nlohmann::json saved = nlohmann::json::object();
  visit_options(config, [&](const char* name, const auto& value, const char*) {
    saved[name] = toml_text(value);
  });
  EXPECT_EQ(to_toml(options_from_json(saved, "file")), to_toml(config));
}

TEST(OptionsJsonTest, WhatItLacksIsAtItsDefault) {
  const auto config = options_from_json({{"batch-size", 4}, {"of-another-version", 1}}, "file");
  EXPECT_EQ(to_toml(config), to_toml({.batch_size = 4}));
}

// Until there was --split-seed, --seed chose the split as well.
TEST(OptionsJsonTest, TheSplitOfAnEarlierVersionIsThatOfItsSeed) {
  EXPECT_EQ(options_from_json({{"seed", 7}}, "file").split.seed, 7U);
  EXPECT_EQ(options_from_json({{"seed", 7}, {"split-seed", 2}}, "file").split.seed, 2U);
}

TEST(OptionsJsonTest, RefusesWhatIsNoObject) {
  for (const nlohmann::json& saved : {nlohmann::json(), nlohmann::json(3), nlohmann::json("text"),
                                      nlohmann::json::array({1, 2})}) {
    EXPECT_THAT([&] { options_from_json(saved, "file"); }, ThrowsInputError("file", "options"));
  }
}

TEST(OptionsJsonTest, NamesTheOptionThatIsNotOfItsType) {
  const auto reading = [](const char* name, nlohmann::json value) {
    nlohmann::json saved = options_to_json({});
    saved[name] = std::move(value);
    return [saved] { return options_from_json(saved, "file"); };
  };
  EXPECT_THAT(reading("batch-size", "4"), ThrowsInputError("file", "batch-size"));
  EXPECT_THAT(reading("batch-size", 4.5), ThrowsInputError("file", "batch-size"));
  EXPECT_THAT(reading("batch-size", nullptr), ThrowsInputError("file", "batch-size"));
  EXPECT_THAT(reading("batch-size", 1e300), ThrowsInputError("file", "batch-size"));
  EXPECT_THAT(reading("lr", true), ThrowsInputError("file", "lr"));
  EXPECT_THAT(reading("optimizer", "lion"), ThrowsInputError("file", "optimizer"));
  EXPECT_THAT(reading("optimizer", 3), ThrowsInputError("file", "optimizer"));
  EXPECT_THAT(reading("channels-last", 1), ThrowsInputError("file", "channels-last"));
}

}  // namespace
}  // namespace mpbench::train

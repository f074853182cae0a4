#include "../../src/nn/weights/timm_names.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <set>

#include "mpbench/nn/model.hpp"

namespace mpbench::nn {
namespace {

// The modules of timm's EfficientNets in the order of its state_dict, which is torchvision's.
// (weights_parity_test.py compares the whole of it, name by name.)
const std::vector<std::string> first_stage{"conv_dw",        "bn1",     "se.conv_reduce",
                                           "se.conv_expand", "conv_pw", "bn2"};
const std::vector<std::string> later_stages{
    "conv_pw", "bn1", "conv_dw", "bn2", "se.conv_reduce", "se.conv_expand", "conv_pwl", "bn3"};

std::vector<std::string> timm_names(const std::vector<int>& blocks) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& module) {
    const std::string last = module.substr(module.rfind('.') + 1);
    names.push_back(module + ".weight");
    const bool is_norm = last.starts_with("bn");
    const bool has_bias =
        is_norm || module.find("se.") != std::string::npos || last == "classifier";
    if (has_bias) names.push_back(module + ".bias");
    if (!is_norm) return;
    for (const char* buffer : {"running_mean", "running_var", "num_batches_tracked"}) {
      names.push_back(module + "." + buffer);
    }
  };
  add("conv_stem");
  add("bn1");
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int block = 0; block < blocks[stage]; ++block) {
      for (const std::string& module : stage == 0 ? first_stage : later_stages) {
        add("blocks." + std::to_string(stage) + "." + std::to_string(block) + "." + module);
      }
    }
  }
  for (const char* module : {"conv_head", "bn2", "classifier"}) add(module);
  return names;
}

void expect_names_of(const std::string& model_name, const std::vector<int>& blocks) {
  std::set<std::string> own;
  const auto model = make_model({.name = model_name, .in_channels = 3, .outputs = 1000});
  for (const auto& entry : model->named_parameters()) own.insert(entry.key());
  for (const auto& entry : model->named_buffers()) own.insert(entry.key());
  std::set<std::string> translated;
  for (const std::string& name : timm_names(blocks)) {
    const auto found = torchvision_efficientnet_name(name);
    ASSERT_TRUE(found.has_value()) << name;
    EXPECT_TRUE(own.contains(*found)) << name << " became " << *found;
    EXPECT_TRUE(translated.insert(*found).second) << name << " became " << *found;
  }
  EXPECT_EQ(translated, own);
}

TEST(TimmNamesTest, TranslatesEveryNameOfB0) {
  expect_names_of("efficientnet-b0", {1, 2, 2, 3, 3, 4, 1});
}

TEST(TimmNamesTest, TranslatesEveryNameOfB4) {
  expect_names_of("efficientnet-b4", {2, 4, 4, 6, 6, 8, 2});
}

TEST(TimmNamesTest, KnowsTheTwoKindsOfBlocksApart) {
  EXPECT_EQ(torchvision_efficientnet_name("blocks.0.0.conv_pw.weight"),
            "features.1.0.block.2.0.weight");
  EXPECT_EQ(torchvision_efficientnet_name("blocks.1.0.conv_pw.weight"),
            "features.2.0.block.0.0.weight");
  EXPECT_EQ(torchvision_efficientnet_name("blocks.0.1.se.conv_expand.bias"),
            "features.1.1.block.1.fc2.bias");
  EXPECT_EQ(torchvision_efficientnet_name("blocks.6.1.bn3.running_var"),
            "features.7.1.block.3.1.running_var");
  EXPECT_EQ(torchvision_efficientnet_name("bn2.bias"), "features.8.1.bias");
}

TEST(TimmNamesTest, HasNoNameForWhatTimmHasNot) {
  for (const char* name :
       {"", "weight", "conv1.weight", "blocks.weight", "blocks.0.conv_dw.weight",
        "blocks.7.0.conv_pw.weight", "blocks.0.0.bn3.weight", "blocks.-1.0.bn1.bias",
        "blocks.0.0.conv_pwl.weight", "blocks.1.0.se.bias", "blocks.1.x.bn1.bias",
        "blocks.99999999999.0.bn1.bias", "features.0.0.weight"}) {
    EXPECT_FALSE(torchvision_efficientnet_name(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace mpbench::nn

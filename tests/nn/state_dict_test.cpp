#include "mpbench/nn/state_dict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>
#include <iterator>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "mpbench/nn/model.hpp"
#include "support/memory_file.hpp"
#include "support/pth_bytes.hpp"
#include "support/state_dict_file.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::nn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class StateDictTest : public testing::Test {
 protected:
  std::filesystem::path path(const std::string& name = "net.safetensors") const {
    return folder_.path() / name;
  }
  /// A safetensors file in the bytes of its parts.
  StateDict read(const std::string& header, const std::string& data) const {
    return read_state_dict(write_bytes(
        path(), number_bytes(std::uint64_t{header.size()}) + std::string(header) + data));
  }
  TemporaryFolder folder_;
};

std::vector<std::string> names(const TensorsByName& tensors) {
  std::vector<std::string> keys;
  for (const auto& [name, tensor] : tensors) keys.push_back(name);
  return keys;
}

TEST_F(StateDictTest, ReadsBackWhatWasWritten) {
  TensorsByName tensors;
  for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                           at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors[c10::toString(dtype)] = torch::tensor({{1, 0, 1}, {2, 100, 0}}).to(dtype);
  }
  tensors["scalar"] = torch::tensor(7);
  write_state_dict(path(), tensors);
  const StateDict state = read_state_dict(path());
  EXPECT_EQ(names(state.tensors), names(tensors));
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(state.tensors.at(name).scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(at::equal(state.tensors.at(name), tensor)) << name;
  }
}

TEST_F(StateDictTest, WritesEachTensorRowMajorAndAligned) {
  const at::Tensor image = at::arange(24, at::kFloat).view({1, 2, 3, 4});
  write_state_dict(path(),
                   {{"a", at::ones({1}, at::kByte)},
                    {"b", image.contiguous(at::MemoryFormat::ChannelsLast)},
                    {"c", image.permute({3, 2, 1, 0})},
                    {"d", torch::tensor(3)}},
                   {{"model", "cnn"}});
  const safetensors::File file(path());
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(file.metadata().at("model"), "cnn");
  const auto* values = reinterpret_cast<const float*>(file.bytes("b").data());
  for (int i = 0; i < 24; ++i) EXPECT_EQ(values[i], i);
  for (const auto& info : file.tensors()) {
    EXPECT_EQ(info.begin % safetensors::element_bytes(info.dtype), 0U) << info.name;
  }
  EXPECT_TRUE(at::equal(read_state_dict(path()).tensors.at("c"), image.permute({3, 2, 1, 0})));
}

TEST_F(StateDictTest, ListsParametersAndBuffersOfAModule) {
  const auto model = make_model({.name = "cnn"});
  const auto state = state_of(*model);
  EXPECT_THAT(names(state),
              testing::IsSupersetOf({"features.0.weight", "features.1.running_mean",
                                     "features.1.num_batches_tracked", "classifier.bias"}));
  EXPECT_EQ(state.size(), model->parameters().size() + model->buffers().size());
}

TEST_F(StateDictTest, ReadsTensorsThatAreNotAligned) {
  const StateDict state = read(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                               R"("b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
                               std::string("x") + float_bytes({1.5, 2.5}));
  EXPECT_TRUE(at::equal(state.tensors.at("b"), torch::tensor({1.5F, 2.5F})));
}

TEST_F(StateDictTest, RefusesDtypesAndShapesItCannotHold) {
  EXPECT_THAT(
      [&] { (void)read(R"({"a":{"dtype":"U16","shape":[1],"data_offsets":[0,2]}})", "xx"); },
      ThrowsMessage<InputError>(HasSubstr("a: tensors of U16 cannot be used here")));
  EXPECT_THAT(
      [&] { (void)read(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", "x"); },
      ThrowsMessage<InputError>(HasSubstr("a: unknown safetensors dtype 'F8_E4M3'")));
  EXPECT_THAT(
      [&] {
        (void)read(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", "x");
      },
      ThrowsMessage<InputError>(HasSubstr("a: it has 9 dimensions")));
  EXPECT_THAT([&] { (void)read("{}", ""); },
              ThrowsMessage<InputError>(HasSubstr("header: there are no tensors")));
}

TEST_F(StateDictTest, TellsTheFormatByTheContent) {
  const std::string pth = pth_archive(
      pickle::dict({{"w", pickle::tensor({.elements = 1}, {1}, {1})}}), {float_bytes({3})});
  EXPECT_EQ(read_state_dict(write_bytes(path("a.safetensors"), pth)).tensors.at("w").item<float>(),
            3);
  write_state_dict(path("b.pth"), {{"w", torch::tensor({4.0F})}});
  EXPECT_EQ(read_state_dict(path("b.pth")).tensors.at("w").item<float>(), 4);
  EXPECT_THAT([&] { (void)read_state_dict(write_bytes(path("c.safetensors"), "x")); },
              ThrowsMessage<InputError>(HasSubstr("header: the file is too short")));
  EXPECT_THAT([&] { (void)read_state_dict(write_bytes(path("e.safetensors"), "<html>")); },
              ThrowsMessage<InputError>(HasSubstr("file: it is a web page")));
  EXPECT_THAT([&] { (void)read_state_dict(write_bytes(path("d.pth"), "x")); },
              ThrowsMessage<InputError>(HasSubstr("file: not written by torch.save")));
  EXPECT_THAT([&] { (void)read_state_dict(path("none")); },
              ThrowsMessage<Error>(HasSubstr("none: cannot read: No such file")));
}

TEST_F(StateDictTest, TakesPrefixesOffThatAllNamesHave) {
  const at::Tensor one = torch::tensor(1.0F);
  const auto read_names = [&](const TensorsByName& tensors) {
    write_state_dict(path(), tensors);
    return read_state_dict(path());
  };
  const StateDict parallel = read_names({{"module.a", one}, {"module.b.c", one}});
  EXPECT_EQ(parallel.prefix, "module.");
  EXPECT_THAT(names(parallel.tensors), ElementsAre("a", "b.c"));
  EXPECT_EQ(read_names({{"_orig_mod.module.a", one}}).prefix, "_orig_mod.module.");
  EXPECT_THAT(names(read_names({{"layer1._orig_mod.0.a", one},
                                {"b._fsdp_wrapped_module.c", one},
                                {"b._checkpoint_wrapped_module.d", one}})
                        .tensors),
              ElementsAre("b.c", "b.d", "layer1.0.a"));
  EXPECT_THAT(names(read_names({{"_orig_mod.a", one}, {"a", one}}).tensors),
              ElementsAre("_orig_mod.a", "a"));  // they would become one
  EXPECT_THAT(names(read_names({{"not_orig_mod.a", one}}).tensors), ElementsAre("not_orig_mod.a"));
  EXPECT_EQ(read_names({{"model.a", one}}).prefix, "model.");
  const StateDict some = read_names({{"module.a", one}, {"b", one}});
  EXPECT_EQ(some.prefix, "");
  EXPECT_THAT(names(some.tensors), ElementsAre("b", "module.a"));
  const StateDict averaged = read_names({{"module.a", one}, {"n_averaged", torch::tensor(5)}});
  EXPECT_THAT(names(averaged.tensors), ElementsAre("a"));
  EXPECT_THAT(averaged.skipped, ElementsAre("n_averaged"));
}

TEST_F(StateDictTest, TakesTheNetworkOutOfACheckpointOfThisProgram) {
  const at::Tensor one = torch::tensor(1.0F);
  const TensorsByName tensors{{"fc.bias", one}, {"optimizer/exp_avg.0", one}, {"rng/cpu", one}};
  write_state_dict(path(), tensors, {{"mpbench_state", "{}"}});
  const StateDict state = read_state_dict(path());
  EXPECT_THAT(names(state.tensors), ElementsAre("fc.bias"));
  EXPECT_THAT(state.skipped, ElementsAre("optimizer/exp_avg.0", "rng/cpu"));
  EXPECT_EQ(state.wrapper, "");
  write_state_dict(path(), tensors);
  EXPECT_EQ(read_state_dict(path()).tensors.size(), 3U);
}

TEST_F(StateDictTest, TakesTheAveragedWeightsOfACheckpointOfThisProgram) {
  const at::Tensor one = torch::tensor(1.0F);
  write_state_dict(path(),
                   {{"fc.bias", one},
                    {"ema/module.fc.bias", one + 1},
                    {"ema/n_averaged", torch::tensor(3)},
                    {"rng/cpu", one}},
                   {{"mpbench_state", R"({"model":{"origin":"timm"}})"}});
  const StateDict state = read_state_dict(path());
  EXPECT_THAT(names(state.tensors), ElementsAre("fc.bias"));
  EXPECT_EQ(state.tensors.at("fc.bias").item<float>(), 2);
  EXPECT_EQ(state.wrapper, "ema");
  EXPECT_THAT(state.wrapper_note, HasSubstr("the averaged weights"));
  EXPECT_EQ(state.origin, "timm");
  EXPECT_THAT(state.skipped, testing::SizeIs(3));
  write_state_dict(path(), {{"fc.bias", one}}, {{"mpbench_state", R"({"model":{"origin":5}})"}});
  EXPECT_THAT([&] { (void)read_state_dict(path()); },
              ThrowsMessage<InputError>(HasSubstr("model/origin: it is not a string")));
}

TEST_F(StateDictTest, TakesOrRefusesAnyChangeOfAFile) {
  write_state_dict(
      path(), {{"a", torch::rand({3, 4})}, {"b", torch::tensor(3)}, {"c", torch::tensor(true)}});
  std::ifstream stream(path(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const MemoryFile file;
  SplitMix64 random(7);
  int taken = 0;
  constexpr int times = 4000;
  for (int i = 0; i < times; ++i) {
    std::string changed = bytes;
    for (std::uint64_t j = 1 + draw_below(random, 3); j > 0; --j) {
      changed[draw_below(random, changed.size())] = static_cast<char>(draw_below(random, 256));
    }
    if (draw_below(random, 8) == 0) changed.resize(draw_below(random, changed.size()));
    try {
      for (const auto& [name, tensor] : read_state_dict(file.write(changed)).tensors) {
        (void)tensor.to(at::kDouble).sum().item<double>();
      }
      ++taken;
    } catch (const Error&) {
      continue;
    }
  }
  // What is changed in the values themselves, and in the header's padding, is not noticed.
  EXPECT_GT(taken, times / 50);
  EXPECT_LT(taken, times * 3 / 4);
}

}  // namespace
}  // namespace mpbench::nn

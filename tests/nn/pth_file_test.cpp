#include "../../src/nn/torch_file/pth_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"
#include "support/pth_bytes.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::nn {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using namespace std::string_literals;

class PthFileTest : public testing::Test {
 protected:
  StateDict read(const std::string& bytes) const {
    return read_pth_file(write_bytes(folder_.path() / "net.pth", bytes));
  }
  StateDict read(const std::string& pickled, const std::vector<std::string>& storages) const {
    return read(pth_archive(pickled, storages));
  }
  void expect_refusal(const std::string& bytes, const std::string& complaint) const {
    EXPECT_THAT([&] { (void)read(bytes); }, ThrowsWith<InputError>("net.pth: " + complaint));
  }
  void expect_refusal(const std::string& pickled, const std::vector<std::string>& storages,
                      const std::string& complaint) const {
    expect_refusal(pth_archive(pickled, storages), complaint);
  }

  TemporaryFolder folder_;
};

TEST_F(PthFileTest, ReadsTensorsOfAnyStridesThatShareAStorage) {
  const StateDict state =
      read(pickle::dict({{"whole", pickle::tensor({.elements = 6}, {2, 3}, {3, 1})},
                         {"transposed", pickle::tensor({.elements = 6}, {3, 2}, {1, 3})},
                         {"end", pickle::tensor({.elements = 6}, {2}, {1}, 4)},
                         {"scalar", pickle::tensor({.elements = 6}, {}, {}, 5)},
                         {"nothing", pickle::tensor({.elements = 6}, {0, 3}, {3, 1})},
                         {"no bytes", pickle::tensor({.key = "1"}, {0}, {1})}}),
           {six, ""});
  const at::Tensor whole = at::arange(6, at::kFloat).view({2, 3});
  EXPECT_TRUE(at::equal(state.tensors.at("whole"), whole));
  EXPECT_TRUE(at::equal(state.tensors.at("transposed"), whole.t()));
  EXPECT_TRUE(at::equal(state.tensors.at("end"), torch::tensor({4.0F, 5.0F})));
  EXPECT_TRUE(at::equal(state.tensors.at("scalar"), torch::tensor(5.0F)));
  EXPECT_EQ(state.tensors.at("nothing").sizes(), (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(state.tensors.at("no bytes").numel(), 0);
  EXPECT_EQ(state.tensors.size(), 6U);
}

TEST_F(PthFileTest, ReadsEveryDtype) {
  const auto read_one = [&](const std::string& type, const std::string& bytes,
                            std::int64_t elements) {
    const pickle::Storage storage{.elements = elements, .type = type};
    return read(pickle::dict({{"t", pickle::tensor(storage, {elements}, {1})}}), {bytes})
        .tensors.at("t");
  };
  const auto expect = [&](const std::string& type, const at::Tensor& values) {
    const std::string bytes(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
    const at::Tensor tensor = read_one(type, bytes, values.numel());
    EXPECT_EQ(tensor.scalar_type(), values.scalar_type());
    EXPECT_TRUE(at::equal(tensor, values)) << type;
  };
  const at::Tensor values = torch::tensor({1.5, -2.25, 100.0}, at::kDouble);
  for (const auto& [type, dtype] :
       std::vector<std::pair<std::string, at::ScalarType>>{{"DoubleStorage", at::kDouble},
                                                           {"FloatStorage", at::kFloat},
                                                           {"HalfStorage", at::kHalf},
                                                           {"BFloat16Storage", at::kBFloat16},
                                                           {"LongStorage", at::kLong},
                                                           {"IntStorage", at::kInt},
                                                           {"ShortStorage", at::kShort},
                                                           {"CharStorage", at::kChar}}) {
    expect(type, values.to(dtype));
  }
  expect("ByteStorage", torch::tensor({1, 255}, at::kByte));
  // Bytes that no bool has are true, as in Python.
  EXPECT_TRUE(at::equal(read_one("BoolStorage", "\x00\x01\x07"s, 3),
                        torch::tensor({false, true, true}, at::kBool)));
}

TEST_F(PthFileTest, ReadsAStorageThatIsNotAligned) {
  // Padded by one byte less than torch.save does.
  std::string zip =
      zip_archive({{"n/data.pkl", pickle::whole(six_of({6}, {1}))}, {"n/data/0", six}});
  const std::size_t record = zip.find("n/data/0");
  zip.erase(record + 12, 1);
  zip[record - 2] = static_cast<char>(zip[record - 2] - 1);    // the extra field's length
  zip[record + 10] = static_cast<char>(zip[record + 10] - 1);  // the padding's
  const auto shift = [&](std::size_t at, int width) {
    std::uint64_t value = 0;
    std::memcpy(&value, zip.data() + at, static_cast<std::size_t>(width));
    --value;
    std::memcpy(zip.data() + at, &value, static_cast<std::size_t>(width));
  };
  const std::size_t end = zip.find("PK\x06\x06");
  shift(end + 48, 8);
  shift(zip.find("PK\x06\x07") + 8, 8);
  shift(zip.find("PK\x05\x06") + 16, 4);
  EXPECT_TRUE(at::equal(read(zip).tensors.at("w"), at::arange(6, at::kFloat)));
}

TEST_F(PthFileTest, RefusesViewsBeyondTheirStorage) {
  const std::string problem = "w: sizes [";
  expect_refusal(six_of({7}, {1}), {six},
                 problem +
                     "7], strides [1] and offset 0 do not fit its "
                     "storage of 6 elements");
  expect_refusal(six_of({2}, {6}), {six}, problem);
  expect_refusal(six_of({3}, {1}, 4), {six}, problem);
  expect_refusal(six_of({}, {}, 6), {six}, problem);
  expect_refusal(six_of({0}, {1}, 7), {six}, problem);
  expect_refusal(six_of({3}, {1}, -1), {six}, problem);
  expect_refusal(six_of({-1}, {1}), {six}, problem);
  expect_refusal(six_of({2}, {-1}, 3), {six}, problem);
  expect_refusal(six_of({2, 3}, {3}), {six}, problem);
  // Sums and products that wrap around 64 bits.
  expect_refusal(six_of({2, 2}, {INT64_MAX, INT64_MAX}), {six}, problem);
  expect_refusal(six_of({INT64_MAX, INT64_MAX}, {0, 0}), {six}, problem);
  expect_refusal(six_of({3}, {INT64_MAX / 2 + 2}), {six}, problem);
  expect_refusal(six_of({INT64_MIN}, {INT64_MAX}), {six}, problem);
  expect_refusal(six_of({2}, {1}, INT64_MAX), {six}, problem);
  // One element many times: 4 TB of 24 bytes.
  expect_refusal(six_of({1 << 20, 1 << 20}, {0, 0}), {six},
                 "w: its 1099511627776 elements share 6 in the file: at most 16777216 may");
}

TEST_F(PthFileTest, RefusesStoragesThatAreNotWhatTheyState) {
  expect_refusal(six_of({6}, {1}), {six.substr(0, 20)},
                 "w: its storage states 6 elements of 4 bytes, and storage 0 has 20 bytes");
  const auto of = [](const pickle::Storage& storage) {
    return pickle::dict({{"w", pickle::tensor(storage, {1}, {1})}});
  };
  expect_refusal(of({.elements = -6}), {six}, "w: its storage states -6");
  expect_refusal(of({.elements = INT64_MAX}), {six}, "w: its storage states");
  expect_refusal(of({.elements = 6, .type = "DoubleStorage"}), {six}, "w: its storage states 6");
  expect_refusal(of({.key = "3", .elements = 6}), {six}, "net/data/3: the archive has no such");
  expect_refusal(of({.key = std::string(101, 'k')}), {six}, "w: its storage's key is too long");
  expect_refusal(
      pickle::dict({{"w", pickle::tensor({.elements = 6}, {1}, {1})},
                    {"v", pickle::tensor({.elements = 6, .type = "IntStorage"}, {1}, {1})}}),
      {six}, "v: storage 0 is used with two types");
}

TEST_F(PthFileTest, TakesTheNetworkOutOfACheckpoint) {
  const std::string plain = pickle::dict({{"w", pickle::tensor({.elements = 6}, {6}, {1})}});
  const std::string averaged =
      pickle::dict({{"w", pickle::tensor({.key = "1", .elements = 1}, {1}, {1})}});
  const std::vector<std::string> storages{six, float_bytes({7})};
  const std::string optimizer = pickle::dict({{"lr", "G?\xb9\x99\x99\x99\x99\x99\x9a"}});
  for (const char* key : {"state_dict", "model_state_dict", "model", "net", "anything"}) {
    const StateDict state = read(pickle::dict({{"epoch", "K\x05"},
                                               {"arch", pickle::text("resnet18")},
                                               {key, plain},
                                               {"optimizer", optimizer}}),
                                 storages);
    EXPECT_EQ(state.wrapper, key);
    EXPECT_EQ(state.architecture, "resnet18");
    EXPECT_EQ(state.tensors.at("w").numel(), 6);
  }
  const StateDict ema = read(pickle::dict({{"model", plain}, {"model_ema", averaged}}), storages);
  EXPECT_EQ(ema.wrapper, "model_ema");
  EXPECT_EQ(ema.tensors.at("w").item<float>(), 7);
  const StateDict nested =
      read(pickle::dict({{"model", pickle::dict({{"state_dict", plain}})}}), storages);
  EXPECT_EQ(nested.wrapper, "model.state_dict");
  EXPECT_EQ(nested.tensors.at("w").numel(), 6);
}

TEST_F(PthFileTest, RefusesDictsThatAreNoStateDict) {
  const std::string tensor = pickle::tensor({.elements = 6}, {6}, {1});
  expect_refusal("N", {six}, "data.pkl: it holds no dict of tensors");
  expect_refusal(tensor, {six}, "data.pkl: it holds no dict of tensors");
  expect_refusal("}", {six}, "data.pkl: it holds no tensors");
  expect_refusal(pickle::dict({{"net", pickle::name("user", "Network") + ")\x81"},
                               {"epoch", "K\x01"},
                               {"optimizer", pickle::dict({{"w", tensor}})}}),
                 {six},
                 "data.pkl: it holds no tensors, and no dict of them as state_dict, "
                 "model_state_dict, ");
  expect_refusal(pickle::dict({{"net", pickle::name("user", "Network") + ")\x81"}}), {six},
                 "data.pkl: it holds no tensors, and no dict of them as state_dict, "
                 "model_state_dict, model_state, model, module, net, network, net_state_dict, "
                 "weights, params, encoder, backbone; it has net (it is an object of user.Network, "
                 "not a tensor); save the weights");
  expect_refusal(pickle::name("user", "Network") + ")\x81", {six},
                 "data.pkl: it holds no dict of tensors: it is an object of user.Network");
  expect_refusal(
      pickle::dict({{"w", pickle::tensor({.elements = 3, .type = "QInt8Storage"}, {6}, {1})},
                    {"v", tensor}}),
      {six}, "w: it is a quantised tensor (torch.QInt8Storage)");
  expect_refusal(pickle::dict({{"w", tensor}, {"w", tensor}}), {six},
                 "w: the state_dict has it twice");
  expect_refusal(pickle::dict({{"w", tensor}}) + "K\x01" + tensor + "s", {six},
                 "data.pkl: a key of the state_dict is not a string");
  // A dict that is its own "model".
  expect_refusal("}q\x00"s + pickle::text("model") + "h\x00s"s, {six},
                 "data.pkl: it holds no tensors");
}

TEST_F(PthFileTest, FindsTheArchitectureAmongTheSettings) {
  const std::string plain = six_of({6}, {1});
  const auto architecture = [&](const std::string& key, const std::string& value) {
    return read(pickle::dict({{"state_dict", plain}, {key, value}}), {six}).architecture;
  };
  EXPECT_EQ(architecture("arch", pickle::text("resnet18")), "resnet18");
  EXPECT_EQ(architecture("hyper_parameters",
                         pickle::dict({{"lr", "K\x01"}, {"model_name", pickle::text("tf_x")}})),
            "tf_x");
  EXPECT_EQ(architecture("arch", "K\x01"), "");
}

TEST_F(PthFileTest, LeavesAsideWhatIsNoTensor) {
  const std::string tensor = pickle::tensor({.elements = 6}, {6}, {1});
  const StateDict state =
      read(pickle::dict({{"w", tensor},
                         {"epoch", "K\x01"},
                         {"fc._extra_state", "N"},
                         {"sparse elsewhere", pickle::dict({{"lr", "K\x01"}})},
                         {"args", pickle::name("argparse", "Namespace") + ")\x81}b"}}),
           {six});
  EXPECT_EQ(state.tensors.size(), 1U);
  EXPECT_THAT(state.skipped,
              testing::ElementsAre("epoch", "fc._extra_state", "sparse elsewhere", "args"));
}

TEST_F(PthFileTest, ReadsExpandedTensors) {
  const at::Tensor values = at::arange(6, at::kFloat);
  const auto read_one = [&](const std::string& pickled) {
    return read(pickled, {six}).tensors.at("w");
  };
  EXPECT_TRUE(at::equal(read_one(six_of({4, 6}, {0, 1})), values.expand({4, 6})));
  EXPECT_TRUE(at::equal(read_one(six_of({300}, {0}, 5)), at::full({300}, 5.0F)));
  EXPECT_TRUE(at::equal(read_one(six_of({4, 3}, {1, 1})), values.unfold(0, 3, 1)));
  expect_refusal(six_of({4, 7}, {0, 1}), {six}, "w: sizes [4, 7], strides [0, 1]");
}

/// Dicts that refer to one another any number of times, and to themselves, are each seen once.
TEST_F(PthFileTest, LooksAtADictOnce) {
  std::string pickled = "}q\x00"s;
  for (int i = 0; i < 1000; ++i) pickled += pickle::text("k" + std::to_string(i)) + "h\x00s"s;
  expect_refusal(pickled, {six}, "data.pkl: it holds no tensors");
}

TEST_F(PthFileTest, RefusesOtherFilesByName) {
  expect_refusal("", "file: it is empty");
  expect_refusal("<html>404 Not Found</html>", "file: it is a web page");
  expect_refusal("version https://git-lfs.github.com/spec/v1\n", "file: it is a Git LFS pointer");
  expect_refusal("\x00\x01"s, "file: not written by torch.save");
  expect_refusal("\x80\x04}.", "file: it is a pickle, but not in torch.save's format");
  const std::string pickled = pickle::whole(six_of({6}, {1}));
  expect_refusal(zip_archive({{"a/text", "hello"}}), "data.pkl: the archive has no such record");
  expect_refusal(zip_archive({{"data.pkl", pickled}}), "data.pkl: the archive has no such record");
  expect_refusal(zip_archive({{"a/data.pkl", pickled}, {"b/data.pkl", pickled}}),
                 "data.pkl: two records have this name");
  expect_refusal(zip_archive({{"a/data.pkl", pickled}, {"a/constants.pkl", "x"}}),
                 "constants.pkl: it is a TorchScript archive");
  expect_refusal(zip_archive({{"a/data.pkl", pickled}, {"a/byteorder", "big"}}),
                 "byteorder: it is 'big'; only little-endian files can be read");
  EXPECT_THAT([&] { (void)read_pth_file(folder_.path() / "none.pth"); },
              ThrowsMessage<Error>(HasSubstr("none.pth: cannot read: No such file")));
  EXPECT_THAT([&] { (void)read_pth_file(folder_.path()); },
              ThrowsMessage<Error>(HasSubstr("cannot read: is a folder")));
}

TEST_F(PthFileTest, RefusesADamagedRecordByName) {
  std::string zip = pth_archive(six_of({6}, {1}), {six});
  zip[zip.find(six) + 5] ^= 1;
  expect_refusal(zip, "net/data/0: it is damaged: its checksum does not match");
}

}  // namespace
}  // namespace mpbench::nn

#include "mpbench/io/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "mpbench/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::safetensors {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::filesystem::path write_raw(const TemporaryFolder& folder, const std::string& header,
                                std::size_t data_bytes) {
  const auto path = folder.path() / "x.safetensors";
  std::ofstream file(path, std::ios::binary);
  const std::uint64_t length = header.size();
  file.write(reinterpret_cast<const char*>(&length), sizeof length);
  file << header << std::string(data_bytes, '\0');
  return path;
}

TEST(SafetensorsTest, ReadsBackWhatWasWrittenInAnyOrder) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const std::vector<std::uint16_t> images{1, 2, 3, 4, 5, 6};
  Writer writer(path,
                {{.name = "images", .dtype = "U16", .shape = {2, 3}},
                 {.name = "labels", .dtype = "I64", .shape = {1}}},
                {{"version", "1"}});
  const std::int64_t label = -7;
  writer.write("labels", 0, std::as_bytes(std::span(&label, 1)));
  writer.write("images", 6, std::as_bytes(std::span(images).subspan(3)));
  writer.write("images", 0, std::as_bytes(std::span(images).first(3)));
  EXPECT_FALSE(std::filesystem::exists(path)) << "a file must not appear before commit()";
  writer.commit();

  const File file(path);
  EXPECT_EQ(file.metadata().at("version"), "1");
  ASSERT_EQ(file.bytes("images").size(), 12U);
  EXPECT_EQ(std::memcmp(file.bytes("images").data(), images.data(), 12), 0);
  EXPECT_EQ(std::memcmp(file.bytes("labels").data(), &label, 8), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.bytes("images").data()) % 64, 0U);
}

TEST(SafetensorsTest, RefusesBytesThatDoNotFit) {
  const TemporaryFolder folder;
  Writer writer(folder.path() / "a", {{.name = "t", .dtype = "U8", .shape = {4}}}, {});
  const std::array<std::byte, 4> bytes{};
  EXPECT_THROW(writer.write("t", 1, bytes), Error);
  EXPECT_THROW(writer.write("t", SIZE_MAX, bytes), Error);
  EXPECT_THROW(writer.write("other", 0, bytes), Error);
}

struct BadHeader {
  const char* header;
  const char* complaint;
};

class BadHeaderTest : public testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaderTest, IsRefusedByName) {
  const TemporaryFolder folder;
  const auto path = write_raw(folder, GetParam().header, 8);
  EXPECT_THAT([&] { File{path}; }, ThrowsMessage<InputError>(HasSubstr(GetParam().complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    SafetensorsTest, BadHeaderTest,
    testing::Values(
        BadHeader{"not json", "not a JSON object"}, BadHeader{"[1]", "not a JSON object"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", "outside"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", "outside"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,8]}})", "disagree"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", "negative"},
        BadHeader{R"({"t":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
                  "too large"},
        BadHeader{R"({"t":{"dtype":"Q7","shape":[8],"data_offsets":[0,8]}})", "Q7"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8]}})", "malformed"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8],"data_offsets":[0,8,8]}})", "malformed"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8],"data_offsets":[0.5,8]}})", "not an integer"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8],"data_offsets":[1e108,8]}})", "not an integer"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8.5],"data_offsets":[0,8]}})", "not an integer"},
        BadHeader{R"({"t":{"dtype":"U8","shape":[8],"data_offsets":[false,8]}})", "not an integer"},
        BadHeader{
            R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
            "overlaps"}));

TEST(SafetensorsTest, TakesTensorsOfNoElementsWhereverTheyBegin) {
  const TemporaryFolder folder;
  // As safetensors 0.8 writes {"full": [2], "empty": [0, 3], "last": [0]}: names do not order them.
  const File file(write_raw(folder,
                            R"({"full":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("empty":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},)"
                            R"("last":{"dtype":"I64","shape":[0],"data_offsets":[8,8]}})",
                            8));
  EXPECT_EQ(file.bytes("full").size(), 8U);
  EXPECT_TRUE(file.bytes("empty").empty());
  EXPECT_TRUE(file.bytes("last").empty());
}

TEST(SafetensorsTest, SaysWhatAnotherFileIs) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  std::ofstream(path) << "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n";
  EXPECT_THAT([&] { File{path}; },
              ThrowsMessage<InputError>(HasSubstr("model.safetensors: file: it is a Git LFS")));
}

TEST(SafetensorsTest, FindsEachOfVeryManyTensors) {
  const TemporaryFolder folder;
  constexpr int count = 200'000;
  std::string header = "{";
  for (int i = 0; i < count; ++i) {
    header += '"' + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)";
  }
  header.back() = '}';
  const File file(write_raw(folder, header, 0));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) EXPECT_EQ(file.bytes(std::to_string(i)).size(), 0U);
  // One after the other, each search takes milliseconds: minutes in all.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_THROW((void)file.info("x"), InputError);
}

TEST(SafetensorsTest, RefusesALengthBeyondTheFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "x";
  std::ofstream(path, std::ios::binary) << std::string(8, '\x7f') << "{}";
  EXPECT_THAT([&] { File{path}; }, ThrowsMessage<InputError>(HasSubstr("does not fit the file")));
  std::ofstream(path, std::ios::binary) << "abc";
  EXPECT_THAT([&] { File{path}; }, ThrowsMessage<InputError>(HasSubstr("too short")));
}

}  // namespace
}  // namespace mpbench::safetensors

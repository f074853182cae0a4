#include "../../src/data/cache/cache.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/io/safetensors.hpp"
#include "mpbench/io/sha256.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace st = safetensors;

/// A cache of two images of 3 x 2, written here from the format's description; each test changes
/// one thing.
struct Parts {
  st::Metadata metadata{{"format", "mpbench image cache"},
                        {"version", "3"},
                        {"dataset", "rsna"},
                        {"classes", R"(["negative","cancer"])"},
                        {"key", "abc"},
                        {"options", "{}"},
                        {"input_times", "0"},
                        {"source", "/data"},
                        {"left_out", "1"}};
  std::vector<std::int64_t> shape{2, 1, 3, 2};
  std::string dtype = "U8";
  std::vector<std::int64_t> labels{0, 1};
  std::string samples = R"({"id":["7","8"],"group":["p","q"],"unit":["p_L","q_R"]})";

  std::string preparations = R"([
    {"path":"a/7.dcm","window":"window 1 of 1: 2000/4000 LINEAR","crop":[1,2,30,40],
     "breast_found":true,"reduction":2,"notes":["odd"]},
    {"path":"b/8.dcm","window":"","crop":[0,0,9,8],"breast_found":false,"reduction":0,"notes":[]}])";
  std::string quarantine = R"([["c/9.dcm","PixelData","cut off"]])";

  void write(const std::filesystem::path& path) const {
    std::vector<std::byte> pixels(st::tensor_bytes(dtype, shape));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::byte>(i + 1);
    std::vector<std::byte> digests;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto half = pixels.size() / 2;
      const auto digits =
          sha256_hex(std::span(pixels).subspan(std::min<std::size_t>(i, 1) * half, half));
      for (std::size_t k = 0; k < 64; k += 2) {
        digests.push_back(static_cast<std::byte>(std::stoi(digits.substr(k, 2), nullptr, 16)));
      }
    }
    const auto bytes = [](const auto& values) { return std::as_bytes(std::span(values)); };
    std::string lines;
    for (const auto& [name, value] : metadata) {
      lines += sha256_hex(name) + " " + sha256_hex(value) + "\n";
    }
    for (const auto& table :
         {bytes(labels), bytes(digests), bytes(samples), bytes(quarantine), bytes(preparations)}) {
      lines += sha256_hex(table) + "\n";
    }
    st::Metadata all = metadata;
    all["table_digest"] = sha256_hex(lines);
    const auto length = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
    st::Writer writer(path,
                      {{"images", dtype, shape},
                       {"labels", "I64", {length(labels)}},
                       {"digests", "U8", {length(labels), 32}},
                       {"samples", "U8", {length(samples)}},
                       {"quarantine", "U8", {length(quarantine)}},
                       {"preparations", "U8", {length(preparations)}}},
                      all);
    writer.write("images", 0, pixels);
    writer.write("labels", 0, bytes(labels));
    writer.write("digests", 0, digests);
    writer.write("samples", 0, bytes(samples));
    writer.write("quarantine", 0, bytes(quarantine));
    writer.write("preparations", 0, bytes(preparations));
    writer.commit();
  }
};

class CacheTest : public ::testing::Test {
 protected:
  template <typename Matcher>
  void expect_error(const Parts& parts, Matcher matcher) const {
    parts.write(path_);
    EXPECT_THAT([&] { open_cache(path_); }, ThrowsWith<InputError>(path_.string(), matcher));
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "cache.safetensors";
};

TEST_F(CacheTest, OpensWhatTheFormatDescribes) {
  Parts{}.write(path_);
  const auto set = open_cache(path_);
  EXPECT_EQ(set.dataset, "rsna");
  EXPECT_EQ(set.key, "abc");
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.height, 3);
  EXPECT_EQ(set.width, 2);
  EXPECT_THAT(set.classes, ElementsAre("negative", "cancer"));
  ASSERT_EQ(set.size(), 2);
  EXPECT_EQ(set.samples[1].id, "8");
  EXPECT_EQ(set.samples[1].group, "q");
  EXPECT_EQ(set.samples[1].case_id, "q_R");
  EXPECT_EQ(set.samples[1].label, 1);
  EXPECT_EQ(std::to_integer<int>(set.image(1)[0]), 7);
  EXPECT_EQ(read_cache_info(path_).left_out, 1);
}

TEST_F(CacheTest, SaysHowEachImageWasMade) {
  Parts parts;
  parts.write(path_);
  const auto made = read_preparations(path_);
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].path, "a/7.dcm");
  EXPECT_EQ(made[0].preparation.window, "window 1 of 1: 2000/4000 LINEAR");
  EXPECT_EQ(made[0].preparation.crop, cv::Rect(1, 2, 30, 40));
  EXPECT_TRUE(made[0].preparation.breast_found);
  EXPECT_EQ(made[0].preparation.reduction, 2);
  EXPECT_THAT(made[0].preparation.notes, ElementsAre("odd"));
  parts.preparations = "[{}]";
  parts.write(path_);
  EXPECT_THROW(read_preparations(path_), InputError);
}

TEST_F(CacheTest, KeepsWhatTheTableSaysOfAnImage) {
  Parts parts;
  parts.samples.insert(1, R"("site":["1","2"],"age":["61",""],)");
  parts.write(path_);
  const auto set = open_cache(path_);
  EXPECT_EQ(set.samples[1].attributes.site, "2");
  EXPECT_EQ(set.samples[0].attributes.age, "61");
  EXPECT_EQ(set.samples[0].attributes.view, "") << "as caches of earlier versions have it";
  for (const char* wrong : {R"("site":["1"],)", R"("site":[1,2],)", R"("age":"61",)"}) {
    Parts damaged;
    damaged.samples.insert(1, wrong);
    expect_error(damaged, HasSubstr("samples"));
  }
}

TEST_F(CacheTest, KeepsASplitOfTheDatasetsOwn) {
  Parts parts;
  parts.samples.insert(1, R"("validation":[false,true],)");
  parts.write(path_);
  const auto set = open_cache(path_);
  ASSERT_TRUE(set.given_split);
  EXPECT_THAT(set.given_split->train, ElementsAre(0));
  EXPECT_THAT(set.given_split->validation, ElementsAre(1));
  parts.samples.replace(parts.samples.find("true"), 4, "null");
  expect_error(parts, HasSubstr("samples"));
}

TEST_F(CacheTest, NoticesEveryByteThatChanged) {
  Parts{}.write(path_);
  const auto size = std::filesystem::file_size(path_);
  const auto at = [&](std::uintmax_t place) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(place));
    return static_cast<char>(file.get());
  };
  const auto set_at = [&](std::uintmax_t place, char value) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(place)).put(value);
  };
  std::vector<std::uintmax_t> unnoticed;
  for (std::uintmax_t place = 0; place < size; ++place) {
    const char value = at(place);
    set_at(place, static_cast<char>(value ^ 0x10));
    if (const auto error = thrown_by<InputError>([&] { open_cache(path_); })) {
      EXPECT_THAT(error->what(), HasSubstr(path_.string()));
    } else {
      unnoticed.push_back(place);
    }
    set_at(place, value);
  }
  EXPECT_EQ(open_cache(path_).size(), 2);
  // Only what aligns the header's end and the pixels may change unnoticed.
  for (const auto place : unnoticed) {
    EXPECT_TRUE(at(place) == ' ' || at(place) == '\0') << "byte " << place << ": " << at(place);
  }
  EXPECT_LT(unnoticed.size(), 128U);
}

TEST_F(CacheTest, RefusesAnotherVersion) {
  Parts parts;
  parts.metadata["version"] = "99";
  expect_error(parts, AllOf(HasSubstr("version 99"), HasSubstr("version 3 is expected"),
                            HasSubstr("run mpbench preprocess again")));
}

TEST_F(CacheTest, RefusesAFileThatIsNoCache) {
  Parts parts;
  parts.metadata["format"] = "pt";
  expect_error(parts, HasSubstr("no image cache"));
  write_file(path_, "patient_id,image_id\n1,2\n");
  EXPECT_THROW(open_cache(path_), InputError);
  write_file(path_, "");
  EXPECT_THROW(open_cache(path_), InputError);
}

TEST_F(CacheTest, RefusesATruncatedFile) {
  Parts{}.write(path_);
  const auto size = std::filesystem::file_size(path_);
  for (const auto left : {size - 1, size / 2, std::uintmax_t{9}, std::uintmax_t{3}}) {
    Parts{}.write(path_);
    std::filesystem::resize_file(path_, left);
    EXPECT_THROW(open_cache(path_), InputError) << left << " of " << size << " bytes";
  }
}

TEST_F(CacheTest, RefusesPartsThatDoNotFit) {
  const auto with = [](auto change) {
    Parts parts;
    change(parts);
    return parts;
  };
  expect_error(with([](Parts& p) { p.labels = {0, 2}; }), HasSubstr("labels"));
  expect_error(with([](Parts& p) { p.labels = {0, -1}; }), HasSubstr("labels"));
  expect_error(with([](Parts& p) { p.labels = {0}; }), HasSubstr("labels"));
  expect_error(with([](Parts& p) { p.dtype = "F32"; }), HasSubstr("images"));
  expect_error(with([](Parts& p) { p.shape = {2, 6}; }), HasSubstr("images"));
  expect_error(with([](Parts& p) { p.shape = {0, 1, 3, 2}; }), HasSubstr("images"));
  expect_error(with([](Parts& p) { p.samples = "{"; }), HasSubstr("samples"));
  expect_error(with([](Parts& p) { p.samples = R"({"id":["7"]})"; }), HasSubstr("samples"));
  expect_error(
      with([](Parts& p) { p.samples = R"({"id":["7",8],"group":["p","q"],"unit":["p","q"]})"; }),
      HasSubstr("samples"));
  expect_error(with([](Parts& p) { p.metadata.erase("key"); }), HasSubstr("key"));
  expect_error(with([](Parts& p) { p.metadata["version"] = "one"; }), HasSubstr("version"));
  expect_error(with([](Parts& p) { p.metadata["classes"] = "{}"; }), HasSubstr("classes"));
}

TEST(TakeTest, CopiesTheChosenImages) {
  const auto set = make_images<std::uint16_t>(5, 1, 2, 2, 2);
  const auto taken = take(set, std::vector<std::int64_t>{4, 1});
  ASSERT_EQ(taken.size(), 2);
  EXPECT_EQ(taken.samples[0].id, "4");
  EXPECT_THAT(taken.image(1), ::testing::ElementsAreArray(set.image(1)));
  EXPECT_NE(taken.key, set.key);
  EXPECT_THROW(take(set, std::vector<std::int64_t>{5}), Error);
}

}  // namespace
}  // namespace mpbench::data

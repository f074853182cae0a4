#include "mpbench/data/cache.hpp"

#include <gmock/gmock.h>

#include <map>

#include "data/image_sets.hpp"
#include "mpbench/core/atomic_file.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/core/safetensors.hpp"

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
                        {"version", "1"},
                        {"dataset", "rsna"},
                        {"classes", R"(["negative","cancer"])"},
                        {"key", "abc"},
                        {"options", "{}"},
                        {"source", "/data"},
                        {"left_out", "1"}};
  std::vector<std::int64_t> shape{2, 1, 3, 2};
  std::string dtype = "U8";
  std::vector<std::int64_t> labels{0, 1};
  std::string samples = R"({"id":["7","8"],"group":["p","q"],"unit":["p_L","q_R"]})";

  void write(const std::filesystem::path& path) const {
    const auto text = static_cast<std::int64_t>(samples.size());
    const auto count = static_cast<std::int64_t>(labels.size());
    st::Writer writer(
        path, {{"images", dtype, shape}, {"labels", "I64", {count}}, {"samples", "U8", {text}}},
        metadata);
    std::vector<std::byte> pixels(st::tensor_bytes(dtype, shape));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::byte>(i + 1);
    writer.write("images", 0, pixels);
    writer.write("labels", 0, std::as_bytes(std::span(labels)));
    writer.write("samples", 0, std::as_bytes(std::span(samples)));
    writer.commit();
  }
};

class CacheTest : public ::testing::Test {
 protected:
  template <typename Matcher>
  void expect_error(const Parts& parts, Matcher matcher) const {
    parts.write(path_);
    try {
      open_cache(path_);
      ADD_FAILURE() << "accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(path_.string()), matcher));
    }
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
  EXPECT_EQ(set.samples[1].unit, "q_R");
  EXPECT_EQ(set.samples[1].label, 1);
  EXPECT_EQ(std::to_integer<int>(set.image(1)[0]), 7);
  EXPECT_EQ(read_cache_info(path_).left_out, 1);
}

TEST_F(CacheTest, RefusesAnotherVersion) {
  Parts parts;
  parts.metadata["version"] = "99";
  expect_error(parts, AllOf(HasSubstr("version 99"), HasSubstr("version 1 is wanted"),
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

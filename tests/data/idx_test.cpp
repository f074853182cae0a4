#include "../../src/data/formats/idx.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <set>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

using ::testing::ElementsAre;

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::string image_file(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  std::string bytes = word(0x803) + word(count) + word(height) + word(width);
  for (std::uint32_t i = 0; i < count * height * width; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

/// Labels 0, 1, 2, 0, 1, 2, ...
std::string label_file(std::uint32_t count) {
  std::string bytes = word(0x801) + word(count);
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 3);
  return bytes;
}

void write_gzip(const std::filesystem::path& path, const std::string& bytes) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

class IdxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(path("train-images-idx3-ubyte"), image_file(60, 4, 3));
    write_file(path("train-labels-idx1-ubyte"), label_file(60));
    write_gzip(path("t10k-images-idx3-ubyte.gz"), image_file(12, 4, 3));
    write_gzip(path("t10k-labels-idx1-ubyte.gz"), label_file(12));
  }
  std::filesystem::path path(const char* name) const { return folder_.path() / name; }
  void expect_error(const char* message) const {
    EXPECT_THAT([&] { read_idx(folder_.path(), {}); }, ThrowsWith<InputError>(message));
  }
  TemporaryFolder folder_;
};

TEST_F(IdxTest, ReadsPlainAndGzippedFiles) {
  EXPECT_TRUE(is_idx_folder(folder_.path()));
  const auto set = read_idx(folder_.path(), {});
  EXPECT_EQ(set.dataset, "idx");
  EXPECT_EQ(set.size(), 72);
  EXPECT_EQ(set.height, 4);
  EXPECT_EQ(set.width, 3);
  EXPECT_THAT(set.classes, ElementsAre("0", "1", "2"));
  ASSERT_TRUE(set.given_split);
  EXPECT_EQ(set.given_split->train.size(), 60U);
  EXPECT_EQ(set.given_split->validation.front(), 60);
  EXPECT_EQ(set.samples[4].label, 1);
  EXPECT_EQ(set.samples[61].id, "t10k-1");
  for (int i = 0; i < 72; ++i) {
    for (std::size_t v = 0; v < 12; ++v) {
      const std::size_t place = static_cast<std::size_t>(i < 60 ? i : i - 60) * 12 + v;
      EXPECT_EQ(std::to_integer<std::size_t>(set.image(i)[v]), place % 251);
    }
  }
}

TEST_F(IdxTest, LimitsWithEveryClassInIt) {
  const auto set = read_idx(folder_.path(), {.limit = 7});
  ASSERT_TRUE(set.given_split);
  EXPECT_EQ(set.given_split->train.size(), 7U);
  EXPECT_EQ(set.given_split->validation.size(), 1U);
  std::multiset<int> labels;
  for (const auto i : set.given_split->train) {
    labels.insert(set.samples[static_cast<std::size_t>(i)].label);
  }
  EXPECT_THAT(labels, ElementsAre(0, 0, 0, 1, 1, 2, 2));
  EXPECT_NE(set.key, read_idx(folder_.path(), {}).key);
  EXPECT_EQ(read_idx(folder_.path(), {.limit = 600}).size(), 72);
}

TEST_F(IdxTest, CountsClassesBeforeTheLimit) {
  const auto set = read_idx(folder_.path(), {.limit = 2});
  EXPECT_THAT(set.classes, ElementsAre("0", "1", "2"));
  // A class that only the other part has is one as well.
  write_file(path("t10k-labels-idx1-ubyte"), word(0x801) + word(12) + std::string(11, '\1') + '\4');
  EXPECT_THAT(read_idx(folder_.path(), {.limit = 2}).classes, ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(IdxTest, LimitIsSpreadOverTheWhole) {
  // Sorted by class, as some conversions write it.
  std::string labels = word(0x801) + word(60);
  for (int i = 0; i < 60; ++i) labels += static_cast<char>(i / 20);
  write_file(path("train-labels-idx1-ubyte"), labels);
  const auto set = read_idx(folder_.path(), {.limit = 9});
  std::multiset<int> chosen;
  bool first_ones_only = true;
  for (const auto i : set.given_split->train) {
    const auto& sample = set.samples[static_cast<std::size_t>(i)];
    chosen.insert(sample.label);
    first_ones_only = first_ones_only && std::stoi(sample.id.substr(6)) % 20 < 3;
    const auto place = static_cast<std::size_t>(std::stoi(sample.id.substr(6)));
    EXPECT_EQ(std::to_integer<std::size_t>(set.image(i)[0]), place * 12 % 251) << sample.id;
  }
  EXPECT_THAT(chosen, ElementsAre(0, 0, 0, 1, 1, 1, 2, 2, 2));
  EXPECT_FALSE(first_ones_only);
}

TEST_F(IdxTest, RefusesASingleClass) {
  write_file(path("train-labels-idx1-ubyte"), word(0x801) + word(60) + std::string(60, '\3'));
  expect_error("labels: all are 3: with one class there is nothing to learn");
}

TEST_F(IdxTest, TakesADotInPlaceOfTheHyphen) {
  const auto expected = read_idx(folder_.path(), {}).key;
  std::filesystem::rename(path("train-images-idx3-ubyte"), path("train-images.idx3-ubyte"));
  std::filesystem::rename(path("train-labels-idx1-ubyte"), path("train-labels.idx1-ubyte"));
  std::filesystem::rename(path("t10k-images-idx3-ubyte.gz"), path("t10k-images.idx3-ubyte.gz"));
  EXPECT_TRUE(is_idx_folder(folder_.path()));
  EXPECT_EQ(read_idx(folder_.path(), {}).key, expected);
}

TEST_F(IdxTest, ResizesWithTheAspectKept) {
  const auto set = read_idx(folder_.path(), {.height = 8, .width = 10});
  EXPECT_EQ(set.height, 8);
  EXPECT_EQ(set.width, 10);
  EXPECT_EQ(set.pixels.size(), 72U * 80);
  const auto image = set.image(5);
  for (std::size_t y = 0; y < 8; ++y) {
    EXPECT_EQ(std::to_integer<int>(image[y * 10 + 1]), 0) << "two columns of padding";
    EXPECT_NE(std::to_integer<int>(image[y * 10 + 2]), 0);
  }
}

TEST_F(IdxTest, DoesWithoutATestPart) {
  std::filesystem::remove(path("t10k-images-idx3-ubyte.gz"));
  const auto set = read_idx(folder_.path(), {});
  EXPECT_EQ(set.size(), 60);
  EXPECT_FALSE(set.given_split);
}

TEST_F(IdxTest, NamesAMissingFile) {
  std::filesystem::remove(path("train-labels-idx1-ubyte"));
  expect_error("train-labels-idx1-ubyte: there is no such file");
}

TEST_F(IdxTest, RefusesWhatIsNotWhatItSays) {
  const auto good = image_file(60, 4, 3);
  const auto images = path("train-images-idx3-ubyte");
  write_file(images, label_file(60));
  expect_error("magic number: 0x00000801 is not 0x00000803");
  write_file(images, good.substr(0, good.size() - 1));
  expect_error("length: the header promises 720 bytes of data, the file has 719");
  write_file(images, good + "x");
  expect_error("the file has more");
  write_file(images, good.substr(0, 10));
  expect_error("ends in its header");
  write_file(images, "");
  expect_error("ends in its header");
  write_file(images, image_file(59, 4, 3));
  expect_error("60 labels for the 59 images");
  write_file(images, word(0x803) + word(0) + word(4) + word(3));
  expect_error("make no sense");
}

TEST_F(IdxTest, DoesNotAllocateOnTheHeadersWord) {
  // Ten million images of 65535 x 65535: 38 PiB.
  write_file(path("train-labels-idx1-ubyte"), word(0x801) + word(10'000'000) + "123");
  write_file(path("train-images-idx3-ubyte"),
             word(0x803) + word(10'000'000) + word(65535) + word(65535) + "123");
  expect_error("far fewer");
}

TEST_F(IdxTest, RefusesMoreImagesThanAnySetHas) {
  write_file(path("train-images-idx3-ubyte"),
             word(0x803) + word(10'000'001) + word(1) + word(1) + "123");
  expect_error("count: 10000001 images, and 10000000 at most can be read");
}

TEST_F(IdxTest, RefusesADamagedGzip) {
  std::filesystem::remove(path("train-images-idx3-ubyte"));
  const auto packed = path("train-images-idx3-ubyte.gz");
  write_gzip(packed, image_file(60, 4, 3));
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 2);
  expect_error("train-images-idx3-ubyte.gz");
  write_gzip(packed, image_file(60, 4, 3));
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) - 6);
  expect_error("train-images-idx3-ubyte.gz");  // only the checksum is cut
}

// Counts as published: https://github.com/zalandoresearch/fashion-mnist
TEST(FashionMnistTest, HasTheImagesItIsKnownFor) {
  const std::filesystem::path folder = "/usr/share/datasets/fashion-mnist";
  if (!is_idx_folder(folder)) GTEST_SKIP() << "the package dataset-fashion-mnist is not installed";
  const auto set = read_idx(folder, {});
  EXPECT_EQ(set.size(), 70000);
  EXPECT_EQ(set.height, 28);
  EXPECT_EQ(set.width, 28);
  ASSERT_TRUE(set.given_split);
  std::vector<int> train(10);
  std::vector<int> test(10);
  for (const auto i : set.given_split->train) {
    ++train.at(static_cast<std::size_t>(set.samples[static_cast<std::size_t>(i)].label));
  }
  for (const auto i : set.given_split->validation) {
    ++test.at(static_cast<std::size_t>(set.samples[static_cast<std::size_t>(i)].label));
  }
  EXPECT_EQ(train, std::vector<int>(10, 6000));
  EXPECT_EQ(test, std::vector<int>(10, 1000));
  EXPECT_EQ(set.samples[0].label, 9) << "the first training image is an ankle boot";
}

}  // namespace
}  // namespace mpbench::data

#include "../../src/data/formats/cifar.hpp"

#include <gmock/gmock.h>

#include <map>
#include <opencv2/core.hpp>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAreArray;

constexpr std::size_t image_bytes = 3072;

/// What byte v of image i of a file is.
char value(std::size_t i, std::size_t v) { return static_cast<char>((i * 31 + v * 7) % 251); }

std::string records(std::size_t count, std::size_t classes, bool coarse) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (coarse) bytes += static_cast<char>(i % 20);
    bytes += static_cast<char>(i % classes);
    for (std::size_t v = 0; v < image_bytes; ++v) bytes += value(i, v);
  }
  return bytes;
}

class CifarTest : public ::testing::Test {
 protected:
  fs::path make_100(const std::string& name = "100") const {
    const auto folder = make_folder(name);
    write_file(folder / "train.bin", records(200, 100, true));
    write_file(folder / "test.bin", records(100, 100, true));
    write_names(folder / "fine_label_names.txt", 100, "\n");
    return folder;
  }
  fs::path make_10() const {
    const auto folder = make_folder("10");
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                             "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
      write_file(folder / name, records(12, 10, false));
    }
    write_names(folder / "batches.meta.txt", 10, "\r\n");
    return folder;
  }
  static void write_names(const fs::path& path, int count, const char* end) {
    std::string names;
    for (int i = 0; i < count; ++i) names += fmt::format("name {}{}", i, end);
    write_file(path, names + "\n");
  }
  static void expect_error(const fs::path& folder, Cifar which, const std::string& message) {
    EXPECT_THAT([&] { read_cifar(folder, which, {}); }, ThrowsWith<InputError>(message));
  }
  TemporaryFolder folder_;

 private:
  fs::path make_folder(const std::string& name) const {
    const auto folder = folder_.path() / name;
    fs::create_directories(folder);
    return folder;
  }
};

void expect_image(const ImageDataset& set, std::int64_t index, std::size_t i) {
  for (std::size_t v = 0; v < image_bytes; ++v) {
    ASSERT_EQ(set.image(index)[v], static_cast<std::byte>(value(i, v))) << index << " " << v;
  }
}

TEST_F(CifarTest, ReadsTheHundredFineClasses) {
  const auto folder = make_100();
  EXPECT_TRUE(is_cifar_folder(folder, Cifar::cifar100));
  EXPECT_FALSE(is_cifar_folder(folder, Cifar::cifar10));
  const auto set = read_cifar(folder, Cifar::cifar100, {});
  EXPECT_EQ(set.dataset, "cifar100");
  ASSERT_EQ(set.size(), 300);
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.height, 32);
  EXPECT_EQ(set.width, 32);
  ASSERT_EQ(set.classes.size(), 100U);
  EXPECT_EQ(set.classes[99], "name 99");
  EXPECT_EQ(set.given_split->train.size(), 200U);
  EXPECT_EQ(set.given_split->validation.front(), 200);
  EXPECT_EQ(set.samples[25].label, 25);
  EXPECT_EQ(set.samples[25].id, "train-25");
  EXPECT_EQ(set.samples[207].id, "test-7");
  expect_image(set, 25, 25);
  expect_image(set, 207, 7);
}

TEST_F(CifarTest, ReadsTheFiveBatchesOfTen) {
  const auto set = read_cifar(make_10(), Cifar::cifar10, {});
  EXPECT_EQ(set.dataset, "cifar10");
  ASSERT_EQ(set.size(), 72);
  EXPECT_EQ(set.classes[9], "name 9");
  EXPECT_EQ(set.given_split->train.size(), 60U);
  EXPECT_EQ(set.samples[59].id, "train-59");
  EXPECT_EQ(set.samples[59].label, 1);  // the last of a batch of 12
  expect_image(set, 59, 11);
  expect_image(set, 61, 1);
  EXPECT_EQ(set.samples[61].id, "test-1");
}

TEST_F(CifarTest, TakesTheArchivesOwnFolder) {
  make_100("cifar-100-binary");
  EXPECT_TRUE(is_cifar_folder(folder_.path(), Cifar::cifar100));
  EXPECT_EQ(read_cifar(folder_.path(), Cifar::cifar100, {}).size(), 300);
}

TEST_F(CifarTest, ResizesPlaneByPlane) {
  const auto folder = make_100();
  const auto own = read_cifar(folder, Cifar::cifar100, {});
  const auto set = read_cifar(folder, Cifar::cifar100, {.height = 48, .width = 64, .limit = 0});
  EXPECT_EQ(set.height, 48);
  EXPECT_EQ(set.width, 64);
  EXPECT_NE(set.key, own.key);
  for (int c = 0; c < 3; ++c) {
    std::vector<std::byte> plane(own.image(3).begin() + 1024 * c,
                                 own.image(3).begin() + 1024 * (c + 1));
    const cv::Mat expected = image::letterbox(cv::Mat(32, 32, CV_8UC1, plane.data()), 48, 64,
                                              image::HorizontalPlace::centre);
    const auto actual = set.image(3).subspan(static_cast<std::size_t>(c) * 48 * 64, 48 * 64);
    EXPECT_TRUE(std::equal(actual.begin(), actual.end(),
                           reinterpret_cast<const std::byte*>(expected.data)));
  }
}

TEST_F(CifarTest, LimitsEachClassAlike) {
  const auto folder = make_10();
  const auto set = read_cifar(folder, Cifar::cifar10, {.height = 0, .width = 0, .limit = 20});
  ASSERT_EQ(set.size(), 24);
  EXPECT_EQ(set.given_split->train.size(), 20U);
  EXPECT_EQ(set.given_split->validation.size(), 4U);
  std::map<int, int> counts;
  for (const auto i : set.given_split->train) ++counts[set.samples[std::size_t(i)].label];
  EXPECT_EQ(counts.size(), 10U);
  for (const auto& [label, count] : counts) EXPECT_EQ(count, 2) << label;
  EXPECT_EQ(set.classes.size(), 10U);
  const auto all = read_cifar(folder, Cifar::cifar10, {});
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const auto& id = set.samples[std::size_t(i)].id;
    const auto found = std::find_if(all.samples.begin(), all.samples.end(),
                                    [&](const Sample& sample) { return sample.id == id; });
    EXPECT_THAT(set.image(i), ElementsAreArray(all.image(found - all.samples.begin()))) << id;
  }
}

TEST_F(CifarTest, NamesWhatIsWrong) {
  const auto folder = make_100();
  write_file(folder / "test.bin", records(3, 100, true) + "x");
  expect_error(folder, Cifar::cifar100, "test.bin: length: 9223 bytes");
  write_file(folder / "test.bin", "");
  expect_error(folder, Cifar::cifar100, "test.bin: length: 0 bytes");
  write_file(folder / "test.bin", std::string("\x05\x64", 2) + std::string(image_bytes, '0'));
  expect_error(folder, Cifar::cifar100, "label: record 0: 100 is not in 0 to 99");
  write_file(folder / "test.bin", std::string("\x14\x05", 2) + std::string(image_bytes, '0'));
  expect_error(folder, Cifar::cifar100, "label: record 0: 20 is not in 0 to 19");
  fs::remove(folder / "test.bin");
  expect_error(folder, Cifar::cifar100, "test.bin: there is no such file");
  write_names(folder / "fine_label_names.txt", 99, "\n");
  expect_error(folder, Cifar::cifar100, "names: there are 99");
  expect_error(folder, Cifar::cifar10, "batches.meta.txt: there is no such file");
}

}  // namespace
}  // namespace mpbench::data

#include "mpbench/data/dataset.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "mpbench/synth/synthetic_set.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

class DatasetTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("XDG_CACHE_HOME", (folder_.path() / "cache").c_str(), 1); }
  void TearDown() override { ::unsetenv("XDG_CACHE_HOME"); }

  fs::path make_rsna() const {
    const auto path = folder_.path() / "rsna";
    synth::write_synthetic_set(
        {.out = path, .patients = 4, .seed = 1, .height = 96, .width = 80, .threads = 1});
    fs::remove(path / "synthetic.json");  // now it looks like the real one
    return path;
  }
  /// Two classes of images, eight each for training and three for validation.
  fs::path make_folder() const {
    const auto path = folder_.path() / "folder";
    int shade = 0;
    for (const auto& [side, count] : {std::pair{"train", 8}, std::pair{"val", 3}}) {
      for (const char* name : {"a", "b"}) {
        fs::create_directories(path / side / name);
        for (int i = 0; i < count; ++i) {
          const auto file = path / side / name / fmt::format("{}.png", i);
          cv::imwrite(file.string(), cv::Mat(6, 8, CV_8UC3, cv::Scalar(++shade, 9, 99)));
        }
      }
    }
    return path;
  }
  static ImageDataset open(const DatasetOptions& options) { return open_dataset(options, {}); }
  static std::size_t files_below(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
  template <typename Exception>
  static void expect_error(const DatasetOptions& options, const std::string& message) {
    EXPECT_THAT([&] { open(options); }, ThrowsWith<Exception>(message));
  }
  TemporaryFolder folder_;
};

TEST_F(DatasetTest, PreprocessesARsnaFolderOnce) {
  const DatasetOptions options{.path = make_rsna()};
  const auto set = open(options);
  EXPECT_EQ(set.dataset, "rsna");
  EXPECT_EQ(set.height, 124);
  EXPECT_EQ(set.width, 124);
  const auto files = files_below(folder_.path() / "cache/mpbench/datasets");
  EXPECT_EQ(files, 1U);
  EXPECT_EQ(open(options).key, set.key);
  EXPECT_EQ(files_below(folder_.path() / "cache/mpbench/datasets"), files);
}

TEST_F(DatasetTest, OpensTheCacheThatWasNamed) {
  const auto cache = folder_.path() / "my.safetensors";
  const auto set = open({.path = make_rsna(), .height = 40, .width = 30, .cache = cache});
  EXPECT_TRUE(fs::exists(cache));
  const auto opened = open({.path = cache});
  EXPECT_EQ(opened.key, set.key);
  EXPECT_EQ(opened.dataset, "rsna");
  EXPECT_EQ(open({.dataset = "rsna", .path = cache}).size(), set.size());
  expect_error<UsageError>({.path = cache, .height = 124, .width = 124}, "40 x 30");
  expect_error<UsageError>({.dataset = "idx", .path = cache}, "a cache of dataset 'rsna'");
}

TEST_F(DatasetTest, LimitsAFolderAndItsCacheToTheSamePatients) {
  const auto rsna = make_rsna();
  const auto cache = folder_.path() / "my.safetensors";
  const auto all = open({.path = rsna, .height = 16, .width = 16, .cache = cache});
  const auto from_folder = open({.path = rsna, .height = 16, .width = 16, .limit = 14});
  const auto from_cache = open({.path = cache, .limit = 14});
  EXPECT_LE(from_folder.size(), 14);
  EXPECT_GE(from_folder.size(), 7);
  ASSERT_EQ(from_folder.size(), from_cache.size());
  for (std::int64_t i = 0; i < from_folder.size(); ++i) {
    EXPECT_EQ(from_folder.samples[static_cast<std::size_t>(i)].id,
              from_cache.samples[static_cast<std::size_t>(i)].id);
    EXPECT_THAT(from_folder.image(i), ::testing::ElementsAreArray(from_cache.image(i)));
  }
  EXPECT_NE(from_cache.key, all.key);
}

TEST_F(DatasetTest, MakesASyntheticSetWhenThereIsNoPath) {
  DatasetOptions options{.height = 16, .width = 16};
  options.synthetic_patients = 3;
  const auto set = open(options);
  EXPECT_EQ(set.dataset, "synthetic");
  std::set<std::string> patients;
  for (const auto& sample : set.samples) patients.insert(sample.group);
  EXPECT_EQ(patients.size(), 3U);
  options.dataset = "synthetic";
  EXPECT_EQ(open(options).key, set.key);
  options.synthetic_seed = 5;
  EXPECT_NE(open(options).key, set.key);
  for (const auto& entry : fs::directory_iterator(folder_.path() / "cache/mpbench/datasets")) {
    EXPECT_FALSE(entry.path().string().ends_with(".part")) << entry.path();
  }
}

TEST_F(DatasetTest, CallsASyntheticFolderSynthetic) {
  const auto path = folder_.path() / "set";
  synth::write_synthetic_set(
      {.out = path, .patients = 3, .seed = 1, .height = 96, .width = 80, .threads = 1});
  EXPECT_EQ(open({.path = path, .height = 8, .width = 8}).dataset, "synthetic");
}

TEST_F(DatasetTest, TakesAnImageFolderForWhatItIs) {
  const auto path = make_folder();
  const auto set = open({.path = path});
  EXPECT_EQ(set.dataset, "folder");
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.height, 6);
  EXPECT_EQ(set.width, 8);
  EXPECT_THAT(set.classes, ::testing::ElementsAre("a", "b"));
  ASSERT_TRUE(set.given_split);
  EXPECT_EQ(set.given_split->train.size(), 16U);
  EXPECT_EQ(set.given_split->validation.size(), 6U);
  // Other than RSNA's, it is no matter of patients.
  write_file(path / "train.csv", "file,label\n");
  EXPECT_EQ(open({.path = path}).dataset, "folder");
  expect_error<InputError>({.dataset = "rsna", .path = path}, "patient_id");
}

TEST_F(DatasetTest, LimitsAnImageFolderAndItsCacheToTheSameImages) {
  const auto path = make_folder();
  const auto cache = folder_.path() / "folder.safetensors";
  const auto all = open({.path = path, .cache = cache});
  const auto from_folder = open({.path = path, .limit = 10});
  const auto from_cache = open({.path = cache, .limit = 10});
  ASSERT_EQ(from_folder.size(), 12);
  ASSERT_EQ(from_cache.size(), 12);
  EXPECT_EQ(from_folder.given_split->train, from_cache.given_split->train);
  EXPECT_EQ(from_folder.given_split->validation, from_cache.given_split->validation);
  EXPECT_EQ(from_folder.given_split->validation.size(), 2U);
  std::array<int, 2> counts{};
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(from_folder.samples[i].id, from_cache.samples[i].id);
    const bool validates = from_folder.samples[i].id.starts_with("val/");
    if (!validates) ++counts[static_cast<std::size_t>(from_folder.samples[i].label)];
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(5, 5));
  EXPECT_EQ(open({.path = cache, .limit = 1000}).size(), all.size());
}

TEST_F(DatasetTest, ChoosesTheSameImagesThoughOthersAreMissing) {
  const auto path = make_folder();
  const auto chosen = [&] {
    std::set<std::string> ids;
    for (const auto& sample : open({.path = path, .limit = 6}).samples) ids.insert(sample.id);
    return ids;
  };
  const auto before = chosen();
  for (int i = 0; i < 8; ++i) {
    const auto name = fmt::format("train/a/{}.png", i);
    if (before.contains(name)) continue;
    fs::remove(path / name);
    break;
  }
  EXPECT_EQ(chosen(), before);
}

TEST_F(DatasetTest, GivesASourceToPreprocess) {
  const auto path = make_folder();
  const auto source = open_source({.path = path, .height = 4});
  EXPECT_EQ(source.table.files.size(), 22U);
  EXPECT_EQ(source.height, 4);
  EXPECT_EQ(source.width, 8);
  EXPECT_EQ(source.prepare(source.table.file(0)).pixels.size(), cv::Size(8, 4));
  EXPECT_THROW(open_source({.path = ""}), UsageError);
}

TEST_F(DatasetTest, SaysWhatItCannotOpen) {
  expect_error<UsageError>({.dataset = "imagenet"}, "unknown dataset 'imagenet'");
  expect_error<UsageError>({.dataset = "cifar100"}, "needs a path");
  expect_error<InputError>({.dataset = "cifar100", .path = folder_.path()}, "fine_label_names.txt");
  expect_error<InputError>({.dataset = "folder", .path = folder_.path()}, "there are none");
  expect_error<UsageError>({.dataset = "rsna"}, "needs a path");
  expect_error<InputError>({.path = "/does/not/exist"}, "/does/not/exist");
  expect_error<InputError>({.dataset = "rsna", .path = "/does/not/exist"}, "/does/not/exist");
  expect_error<InputError>({.path = folder_.path()}, "this folder is not a dataset");
  expect_error<InputError>({.dataset = "rsna", .path = folder_.path()}, "train.csv");
  expect_error<InputError>({.dataset = "idx", .path = folder_.path()}, "train-images-idx3-ubyte");
  expect_error<UsageError>({.path = folder_.path(), .limit = -1}, "negative");
}

TEST_F(DatasetTest, OpensWhatHasNoLabelsForPrediction) {
  const auto rsna = make_rsna();
  const auto labelled = open_for_prediction({.path = rsna, .height = 32, .width = 32}, {});
  EXPECT_EQ(labelled.set.dataset, "rsna");
  EXPECT_TRUE(is_labelled(labelled.set));
  EXPECT_TRUE(labelled.left_out.empty() && labelled.quarantine.empty());

  // The same images under the names of a test set.
  fs::rename(rsna / "train_images", rsna / "test_images");
  std::string table = "patient_id,image_id,laterality,view\n";
  for (const auto& sample : labelled.set.samples) {
    table += fmt::format("{},{},{},CC\n", sample.group, sample.id, sample.case_id.back());
  }
  write_file(rsna / "test.csv", table);
  fs::rename(rsna / "train.csv", folder_.path() / "train.csv");
  const auto test = open_for_prediction({.path = rsna, .height = 32, .width = 32}, {});
  EXPECT_EQ(test.set.dataset, "rsna-test");
  EXPECT_FALSE(is_labelled(test.set));
  ASSERT_EQ(test.set.size(), labelled.set.size());
  EXPECT_EQ(test.set.samples[3].case_id, labelled.set.samples[3].case_id);
  EXPECT_TRUE(std::equal(test.set.pixels.begin(), test.set.pixels.end(),
                         labelled.set.pixels.begin(), labelled.set.pixels.end()));
  expect_error<InputError>({.path = rsna}, "this folder is not a dataset");
}

TEST_F(DatasetTest, SaysWhichUnitsAreLost) {
  const auto rsna = make_rsna();
  const auto whole = open_for_prediction({.path = rsna, .height = 32, .width = 32}, {});
  const std::string lost = whole.set.samples[5].case_id;
  const auto& kept = whole.set.samples.front();
  ASSERT_NE(lost, kept.case_id);
  std::size_t removed = 1;
  fs::remove(rsna / "train_images" / kept.group / (kept.id + ".dcm"));
  for (const auto& sample : whole.set.samples) {
    if (sample.case_id != lost) continue;
    fs::remove(rsna / "train_images" / sample.group / (sample.id + ".dcm"));
    ++removed;
  }
  const auto data = open_for_prediction({.path = rsna, .height = 32, .width = 32}, {});
  EXPECT_THAT(data.lost_cases, ::testing::ElementsAre(lost));
  EXPECT_EQ(data.left_out.size(), removed);
  EXPECT_TRUE(fs::exists(data.quarantine));
}

TEST_F(DatasetTest, OpensPicturesWithoutClassesForPrediction) {
  const auto flat = folder_.path() / "flat";
  fs::create_directories(flat / "below");
  for (const char* name : {"b.png", "a.png", "below/c.png"}) {
    cv::imwrite((flat / name).string(), cv::Mat(6, 8, CV_8UC1, cv::Scalar(7)));
  }
  EXPECT_THROW(open({.path = flat}), InputError) << "training needs classes";
  fs::rename(flat / "below", folder_.path() / "below");
  const auto data = open_for_prediction({.path = flat, .channels = 3}, {});
  EXPECT_EQ(data.set.dataset, "pictures");
  EXPECT_FALSE(is_labelled(data.set));
  EXPECT_EQ(data.set.channels, 3) << "grey, and the network takes colour";
  EXPECT_EQ(data.set.samples[0].id, "a.png");
  EXPECT_EQ(open_for_prediction({.path = flat}, {}).set.channels, 1);
  EXPECT_EQ(open_for_prediction({.path = flat, .limit = 1}, {}).set.size(), 1);
  fs::rename(folder_.path() / "below", flat / "below");
  EXPECT_EQ(open_for_prediction({.dataset = "pictures", .path = flat}, {}).set.size(), 3);
}

TEST_F(DatasetTest, TrainsOnNoCacheWithoutLabels) {
  const auto flat = folder_.path() / "flat";
  fs::create_directories(flat);
  cv::imwrite((flat / "a.png").string(), cv::Mat(6, 8, CV_8UC3, cv::Scalar(7)));
  const auto cache = folder_.path() / "c.safetensors";
  (void)open_for_prediction({.path = flat, .cache = cache}, {});
  expect_error<InputError>({.path = cache}, "labels");
  const auto data = open_for_prediction({.path = cache}, {});
  EXPECT_FALSE(is_labelled(data.set));
  EXPECT_EQ(data.set.size(), 1);
}

TEST_F(DatasetTest, OpensEveryDatasetForPrediction) {
  const auto data = open_for_prediction({.path = make_folder(), .height = 4, .width = 4}, {});
  EXPECT_EQ(data.set.size(), 22);
  EXPECT_TRUE(data.set.given_split.has_value());
  EXPECT_THROW(open_for_prediction({.path = folder_.path() / "nowhere"}, {}), InputError);
  EXPECT_THROW(open_for_prediction({.dataset = "moon", .path = folder_.path()}, {}), UsageError);
}

}  // namespace
}  // namespace mpbench::data

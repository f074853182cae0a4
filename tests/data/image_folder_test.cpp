#include "../../src/data/formats/image_folder.hpp"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "data/image_datasets.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class ImageFolderTest : public ::testing::Test {
 protected:
  /// Empty files: listing opens none.
  void touch(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto path = folder_.path() / name;
      fs::create_directories(path.parent_path());
      write_file(path, "");
    }
  }
  void picture(const char* name, int type, int height, int width) const {
    const auto path = folder_.path() / name;
    fs::create_directories(path.parent_path());
    cv::imwrite(path.string(), cv::Mat(height, width, type, cv::Scalar::all(9)));
  }
  ImageManifest read() const { return read_image_folder(folder_.path()); }
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const auto& file : read().files) ids.push_back(file.sample.id);
    return ids;
  }
  void expect_error(const char* message) const {
    EXPECT_THAT([&] { read(); }, ThrowsWith<InputError>(message));
  }
  TemporaryFolder folder_;
};

TEST_F(ImageFolderTest, SortsClassesAndFilesByTheirBytes) {
  touch({"b/2.png", "b/10.PNG", "b/x/1.jpg", "b/x-y/1.Jpeg", "a/1.bmp", "B/1.jpg", "a/no.gif"});
  const auto table = read();
  EXPECT_EQ(table.dataset, "folder");
  EXPECT_FALSE(table.has_split);
  EXPECT_THAT(table.classes, ElementsAre("B", "a", "b"));
  EXPECT_THAT(
      ids(), ElementsAre("B/1.jpg", "a/1.bmp", "b/10.PNG", "b/2.png", "b/x/1.jpg", "b/x-y/1.Jpeg"));
  EXPECT_EQ(table.files[2].sample.label, 2);
  EXPECT_EQ(table.files[2].sample.group, "b/10.PNG");
  EXPECT_EQ(table.files[2].sample.case_id, "b/10.PNG");
  EXPECT_TRUE(fs::exists(table.file(2)));
}

TEST_F(ImageFolderTest, TestIsForValidationOnlyWithoutVal) {
  touch({"train/a/1.png", "train/b/1.png", "test/a/2.png", "test/b/2.png"});
  auto table = read();
  EXPECT_TRUE(table.has_split);
  ASSERT_EQ(table.files.size(), 4U);
  EXPECT_FALSE(table.files[1].validation);
  EXPECT_TRUE(table.files[2].validation);
  EXPECT_EQ(table.files[3].sample.id, "test/b/2.png");
  EXPECT_EQ(table.files[3].sample.label, 1);
  touch({"valid/a/3.png", "valid/b/3.png"});
  table = read();
  ASSERT_EQ(table.files.size(), 4U);
  EXPECT_EQ(table.files[3].sample.id, "valid/b/3.png");
}

TEST_F(ImageFolderTest, RefusesClassesThatDiffer) {
  touch({"train/a/1.png", "train/b/1.png", "val/a/2.png"});
  expect_error("class b: it is among those of train/, but has no folder here");
  touch({"val/b/2.png", "val/c/2.png"});
  expect_error("val: class c: it is not among those of train/");
}

TEST_F(ImageFolderTest, RefusesWhatTeachesNothing) {
  expect_error("classes: there are none");
  touch({"a/1.png"});
  expect_error("there is only a");
  EXPECT_TRUE(is_image_folder(folder_.path()));
  touch({"b/1.txt"});
  expect_error("b: class: no .png");
}

TEST_F(ImageFolderTest, LeavesOutWhatSystemsLeaveBehind) {
  touch({"a/1.png", "b/1.png", "__MACOSX/a/._1.png", "__MACOSX/x.png", ".ipynb_checkpoints/1.png",
         "a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", "a/._1.png", "a/__MACOSX/2.png",
         "@eaDir/a/1.png", "b/.ipynb_checkpoints/1.png"});
  EXPECT_THAT(read().classes, ElementsAre("a", "b"));
  EXPECT_THAT(ids(), ElementsAre("a/1.png", "b/1.png"));
}

TEST_F(ImageFolderTest, AnEmptyFolderIsNoClass) {
  touch({"a/1.png", "c/1.png", "b/.DS_Store"});
  EXPECT_THAT(read().classes, ElementsAre("a", "c"));
  EXPECT_EQ(read().files[1].sample.label, 1);
  touch({"train/a/1.png", "train/c/1.png", "val/a/1.png", "val/c/1.png"});
  fs::create_directories(folder_.path() / "train/b");
  fs::create_directories(folder_.path() / "val/b");
  EXPECT_THAT(read().classes, ElementsAre("a", "c"));
  touch({"val/b/1.png"});
  expect_error("val: class b: it is not among those of train/");
  fs::remove_all(folder_.path() / "val/b");
  fs::remove(folder_.path() / "val/c/1.png");
  EXPECT_THAT(ids(), ElementsAre("train/a/1.png", "train/c/1.png", "val/a/1.png"));
  fs::remove(folder_.path() / "train/c/1.png");
  expect_error("there is only a");
}

TEST_F(ImageFolderTest, SaysWhatAClassHasInPlaceOfPictures) {
  touch({"a/1.png", "b/1.tif", "b/2.TIF", "b/notes.txt"});
  expect_error(
      "b: class: no .png, .jpg, .jpeg or .bmp is in this folder, but 2 .tif files, as 1.tif");
}

TEST_F(ImageFolderTest, SaysThatTheClassesLieDeeper) {
  touch({"photos/a/1.png", "photos/b/1.png", "__MACOSX/photos/._a"});
  expect_error(
      "there is only photos: with one class there is nothing to learn; where the folders in "
      "it are the classes, use --data ");
}

TEST_F(ImageFolderTest, IsOneWithAPictureBelow) {
  EXPECT_FALSE(is_image_folder(folder_.path()));
  touch({"1.png", "a/.1.png", ".b/1.png", "a/1.txt"});
  EXPECT_FALSE(is_image_folder(folder_.path()));
  touch({"a/deep/1.png"});
  EXPECT_TRUE(is_image_folder(folder_.path()));
}

TEST_F(ImageFolderTest, FindsTheCommonFormat) {
  touch({"a/broken.png"});
  picture("a/1.png", CV_8UC1, 30, 40);
  picture("b/1.png", CV_8UC1, 30, 40);
  auto common = common_format(read(), true);
  EXPECT_EQ(common.channels, 1);
  EXPECT_EQ(common.height, 30);
  EXPECT_EQ(common.width, 40);
  picture("b/2.png", CV_8UC3, 30, 40);
  common = common_format(read(), true);
  EXPECT_EQ(common.channels, 3);
  EXPECT_EQ(common.width, 40);
  picture("b/3.png", CV_8UC3, 40, 30);
  EXPECT_EQ(common_format(read(), true).width, usual_size);
}

TEST_F(ImageFolderTest, WithoutAReadablePictureTheFormatIsTheUsual) {
  touch({"a/1.png", "b/1.png"});
  const auto common = common_format(read(), true);
  EXPECT_EQ(common.channels, 3);
  EXPECT_EQ(common.height, usual_size);
}

TEST_F(ImageFolderTest, LargePicturesAreNotStoredInTheirOwnSize) {
  picture("a/1.png", CV_8UC3, largest_own_size, 20);
  picture("b/1.png", CV_8UC3, largest_own_size, 20);
  EXPECT_EQ(common_format(read(), true).height, largest_own_size);
  picture("a/1.png", CV_8UC3, largest_own_size + 1, 20);
  picture("b/1.png", CV_8UC3, largest_own_size + 1, 20);
  EXPECT_EQ(common_format(read(), true).height, usual_size);
}

TEST_F(ImageFolderTest, ListsPicturesWithoutClasses) {
  EXPECT_FALSE(holds_images(folder_.path()));
  EXPECT_THROW(read_unlabelled_images(folder_.path()), InputError);
  touch({"b/1.png", ".hidden.png", "notes.txt", "a.png/1.jpg"});
  EXPECT_FALSE(holds_images(folder_.path()));
  touch({"2.png", "10.JPG"});
  EXPECT_TRUE(holds_images(folder_.path()));
  const auto table = read_unlabelled_images(folder_.path());
  EXPECT_EQ(table.dataset, "pictures");
  EXPECT_THAT(table.classes, ElementsAre("unlabelled"));
  std::vector<std::string> ids;
  for (const auto& file : table.files) ids.push_back(file.sample.id);
  EXPECT_THAT(ids, ElementsAre("10.JPG", "2.png", "a.png/1.jpg", "b/1.png"));
  EXPECT_EQ(table.files[2].sample.label, 0);
  EXPECT_EQ(table.files[2].sample.case_id, "a.png/1.jpg");
}

}  // namespace
}  // namespace mpbench::data

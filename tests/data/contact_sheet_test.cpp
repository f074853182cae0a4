#include "mpbench/data/contact_sheet.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "../../src/data/cache/cache.hpp"
#include "../../src/data/formats/rsna.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/data/preprocess.hpp"
#include "mpbench/mammo/mammogram.hpp"
#include "mpbench/synth/synthetic_set.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::data {
namespace {

namespace fs = std::filesystem;

constexpr int tile_width = 332;  // two images of 160 and three gaps of 4
constexpr int tile_height = 202;

class ContactSheetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    synth::write_synthetic_set({.out = folder_.path() / "set",
                                .patients = 3,
                                .seed = 8,
                                .height = 192,
                                .width = 160,
                                .threads = 1});
    table_ = to_manifest(read_rsna_table(folder_.path() / "set"), "synthetic");
    preprocess(table_, cache_, {.height = 160, .width = 160},
               [](const fs::path& path) { return mammo::prepare_mammogram(path, 160, 160, true); },
               {});
  }
  cv::Mat sheet(int most) const {
    write_contact_sheet(png_, cache_, mammo::mammogram_thumbnail, most);
    return cv::imread(png_.string(), cv::IMREAD_COLOR);
  }

  TemporaryFolder folder_;
  fs::path cache_ = folder_.path() / "cache.safetensors";
  fs::path png_ = folder_.path() / "sheet.png";
  ImageManifest table_;
};

TEST_F(ContactSheetTest, ShowsWhatTheCacheHolds) {
  const auto set = open_cache(cache_);
  ASSERT_GT(set.size(), 7);
  const cv::Mat picture = sheet(1000);
  const int rows = (static_cast<int>(set.size()) + 4) / 5;
  ASSERT_EQ(picture.size(), cv::Size(5 * tile_width, rows * tile_height));
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const cv::Rect right(static_cast<int>(i) % 5 * tile_width + 168,
                         static_cast<int>(i) / 5 * tile_height + 4, 160, 160);
    cv::Mat grey;
    cv::extractChannel(picture(right), grey, 0);
    const auto bytes = set.image(i);
    const std::vector<std::byte> stored(bytes.begin(), bytes.end());
    const cv::Mat expected(160, 160, CV_8U, const_cast<std::byte*>(stored.data()));
    EXPECT_LE(cv::norm(grey, expected, cv::NORM_INF), 1)
        << set.samples[static_cast<std::size_t>(i)].id;
  }
}

TEST_F(ContactSheetTest, FramesTheCropInTheWholePicture) {
  const cv::Mat picture = sheet(5);
  ASSERT_EQ(picture.size(), cv::Size(5 * tile_width, tile_height));
  const auto made = read_preparations(cache_);
  for (int tile = 0; tile < 5; ++tile) {
    const cv::Mat left = picture(cv::Rect(tile * tile_width + 4, 4, 160, 160));
    cv::Mat frame;
    cv::inRange(left, cv::Scalar(90, 200, 90), cv::Scalar(90, 200, 90), frame);
    const cv::Rect box = cv::boundingRect(frame);
    const auto& crop = made[static_cast<std::size_t>(tile) * made.size() / 5].preparation.crop;
    EXPECT_NEAR(box.x, crop.x * 160.0 / 192, 1.5);
    EXPECT_NEAR(box.y, crop.y * 160.0 / 192, 1.5);
    EXPECT_NEAR(box.width, crop.width * 160.0 / 192, 2);
    EXPECT_NEAR(box.height, crop.height * 160.0 / 192, 2);
  }
}

TEST_F(ContactSheetTest, AFileThatIsGoneIsLeftBlack) {
  fs::remove(table_.file(0));
  const cv::Mat picture = sheet(1000);
  EXPECT_EQ(cv::countNonZero(picture(cv::Rect(4, 4, 160, 160)).reshape(1) != 32), 0);
  EXPECT_GT(cv::countNonZero(picture(cv::Rect(168, 4, 160, 160)).reshape(1) > 100), 0);
}

TEST_F(ContactSheetTest, RefusesWhatIsNoCache) {
  std::ofstream(cache_) << "no cache";
  EXPECT_THROW(write_contact_sheet(png_, cache_, mammo::mammogram_thumbnail), InputError);
  EXPECT_FALSE(fs::exists(png_));
}

}  // namespace
}  // namespace mpbench::data

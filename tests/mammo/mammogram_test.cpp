#include "mpbench/mammo/mammogram.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "mpbench/core/error.hpp"
#include "mpbench/synth/synthetic_set.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::mammo {
namespace {

namespace fs = std::filesystem;

/// JPEG 2000 mammograms a quarter as high and wide as RSNA's smaller ones.
class MammogramTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    synth::write_synthetic_set({.out = folder_->path() / "set",
                                .patients = 2,
                                .seed = 5,
                                .syntax = synth::SyntheticSyntax::jpeg2000,
                                .height = 1400,
                                .width = 1040,
                                .threads = 1});
    for (const auto& entry : fs::recursive_directory_iterator(folder_->path() / "set")) {
      if (entry.path().extension() == ".dcm") files_.push_back(entry.path());
    }
    std::sort(files_.begin(), files_.end());
    ASSERT_FALSE(files_.empty());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::unique_ptr<TemporaryFolder> folder_;
  static std::vector<fs::path> files_;
};
std::unique_ptr<TemporaryFolder> MammogramTest::folder_;
std::vector<fs::path> MammogramTest::files_;

TEST_F(MammogramTest, ReducedIsNearlyExact) {
  for (const auto& file : files_) {
    for (const int size : {64, 124, 256, 512}) {
      const auto exact = prepare_mammogram(file, size, size, true);
      const auto reduced = prepare_mammogram(file, size, size, false);
      EXPECT_EQ(exact.preparation.reduction, 0);
      EXPECT_TRUE(exact.preparation.breast_found && reduced.preparation.breast_found);
      EXPECT_EQ(reduced.preparation.window, exact.preparation.window);
      const cv::Rect a = exact.preparation.crop;
      const cv::Rect b = reduced.preparation.crop;
      EXPECT_GT((a & b).area(), 0.97 * (a | b).area()) << file << ": " << a << " and " << b;
      // Crops that differ by a pixel shift the images a little against each other.
      EXPECT_LT(cv::norm(exact.pixels, reduced.pixels, cv::NORM_L1) /
                    static_cast<double>(exact.pixels.total()),
                0.01)
          << file << " at " << size;
    }
  }
}

TEST_F(MammogramTest, KeepsTwoPixelsForEachStored) {
  for (const auto& file : files_) {
    for (const int size : {32, 124, 200, 400, 1400}) {
      const auto image = prepare_mammogram(file, size, size, false);
      const auto [window, crop, found, reduction, notes] = image.preparation;
      const double oversampling = static_cast<double>(std::max(crop.width, crop.height)) / size;
      if (reduction > 0) {
        EXPECT_GE(oversampling, least_oversampling * (1 << reduction)) << size;
      } else {
        EXPECT_LT(oversampling, 2 * least_oversampling) << "could have been halved for " << size;
      }
      EXPECT_EQ(image.pixels.size(), cv::Size(size, size));
      EXPECT_EQ(image.pixels.type(), CV_32FC1);
    }
  }
}

TEST_F(MammogramTest, ADamagedFrameIsNeverReduced) {
  // Cut off where only the finest resolution is missing: a decoder that skips it would not notice.
  const auto damaged = folder_->path() / "damaged.dcm";
  for (const double share : {0.5, 0.9, 0.99}) {
    fs::copy_file(files_[0], damaged, fs::copy_options::overwrite_existing);
    fs::resize_file(
        damaged, static_cast<std::uintmax_t>(share * static_cast<double>(fs::file_size(damaged))));
    EXPECT_THROW(prepare_mammogram(damaged, 64, 64, false), InputError) << share;
  }
}

}  // namespace
}  // namespace mpbench::mammo

#include "../../src/synth/phantom.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "mpbench/core/error.hpp"
#include "mpbench/io/sha256.hpp"

namespace mpbench::synth {
namespace {

PhantomSpec small_spec(std::uint64_t seed) {
  PhantomSpec spec;
  spec.height = 160;
  spec.width = 130;
  spec.seed = seed;
  return spec;
}

std::string digest(const cv::Mat& picture) {
  const cv::Mat whole = picture.clone();
  return sha256_hex(std::as_bytes(std::span(whole.data, whole.total() * whole.elemSize())));
}

double mean_of(const cv::Mat& picture, const cv::Rect& part) { return cv::mean(picture(part))[0]; }

TEST(PhantomTest, SameSpecGivesSamePixels) {
  EXPECT_EQ(digest(draw_phantom(small_spec(3))), digest(draw_phantom(small_spec(3))));
  EXPECT_NE(digest(draw_phantom(small_spec(3))), digest(draw_phantom(small_spec(4))));
}

TEST(PhantomTest, PixelsAreThoseOfEveryOtherMachine) {
  PhantomSpec spec = small_spec(20240229);
  spec.view = View::mlo;
  spec.laterality = Laterality::right;
  spec.density = 2;
  spec.finding = Finding::spiculated_mass;
  spec.benign_mass = true;
  spec.marker = true;
  EXPECT_EQ(digest(to_stored_values(draw_phantom(spec), {})),
            "ee53fef18fa3f01acfba9bb024065492871c3f2faea73812bda59d9f9f95ab5f");
}

TEST(PhantomTest, ChestWallFollowsLaterality) {
  PhantomSpec spec = small_spec(5);
  const cv::Rect left_edge(0, 60, 10, 40), right_edge(120, 60, 10, 40);
  const cv::Mat left = draw_phantom(spec);
  EXPECT_GT(mean_of(left, left_edge), 0.2);
  EXPECT_LT(mean_of(left, right_edge), 0.06);
  spec.laterality = Laterality::right;
  const cv::Mat right = draw_phantom(spec);
  EXPECT_GT(mean_of(right, right_edge), 0.2);
  EXPECT_LT(mean_of(right, left_edge), 0.06);
}

TEST(PhantomTest, BackgroundIsNoisyAndAboveZero) {
  const cv::Mat picture = draw_phantom(small_spec(6));
  cv::Scalar mean, deviation;
  cv::meanStdDev(picture(cv::Rect(110, 0, 20, 20)), mean, deviation);
  EXPECT_GT(mean[0], 0.01);
  EXPECT_LT(mean[0], 0.05);
  EXPECT_GT(deviation[0], 0.002);
  const cv::Mat stored = to_stored_values(picture, {});
  std::set<int> values;
  for (int y = 0; y < 20; ++y) {
    for (int x = 110; x < 130; ++x) values.insert(stored.at<std::uint16_t>(y, x));
  }
  EXPECT_EQ(values.count(0), 0U);
  EXPECT_GT(values.size(), 20U);
}

TEST(PhantomTest, ObliqueViewShowsThePectoralMuscle) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    PhantomSpec spec = small_spec(seed);
    spec.density = 0;
    spec.view = View::mlo;
    const cv::Mat picture = draw_phantom(spec);
    const cv::Rect corner(0, 4, 8, 8), fat(4, 130, 8, 8);
    EXPECT_GT(mean_of(picture, corner), mean_of(picture, fat) + 0.08) << "seed " << seed;
    spec.view = View::cc;
    EXPECT_LT(mean_of(draw_phantom(spec), corner), 0.1) << "seed " << seed;
  }
}

TEST(PhantomTest, DenserBreastsAreBrighter) {
  double before = 0;
  for (int density = 0; density < 4; ++density) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      PhantomSpec spec = small_spec(seed);
      spec.density = density;
      sum += mean_of(draw_phantom(spec), cv::Rect(5, 65, 40, 30));
    }
    EXPECT_GT(sum, before + 0.1) << "density " << density;
    before = sum;
  }
}

TEST(PhantomTest, FindingBrightensOnePlaceAndNothingElse) {
  for (const Finding finding : {Finding::spiculated_mass, Finding::calcifications}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      PhantomSpec spec = small_spec(seed);
      const cv::Mat without = draw_phantom(spec);
      spec.finding = finding;
      const cv::Mat difference = draw_phantom(spec) - without;
      const cv::Mat changed = cv::abs(difference) > 0.01;
      const int pixels = cv::countNonZero(changed);
      ASSERT_GT(pixels, 5) << "seed " << seed;
      const cv::Rect box = cv::boundingRect(changed);
      EXPECT_LT(box.area(), 160 * 130 / 5) << "seed " << seed;
      double lowest = 0, highest = 0;
      cv::minMaxLoc(difference, &lowest, &highest);
      EXPECT_GT(lowest, -0.001);
      EXPECT_GT(highest, 0.02);
    }
  }
}

TEST(PhantomTest, LargerPictureShowsTheSameBreast) {
  PhantomSpec spec = small_spec(9);
  spec.finding = Finding::spiculated_mass;
  const cv::Mat small = draw_phantom(spec);
  spec.height *= 3;
  spec.width *= 3;
  cv::Mat shrunk;
  cv::resize(draw_phantom(spec), shrunk, small.size(), 0, 0, cv::INTER_AREA);
  EXPECT_LT(cv::norm(small, shrunk, cv::NORM_L1) / static_cast<double>(small.total()), 0.015);
}

TEST(PhantomTest, MarkerStandsOppositeTheChestWall) {
  PhantomSpec spec = small_spec(10);
  spec.marker = true;
  spec.view = View::mlo;
  const cv::Mat picture = draw_phantom(spec);
  double highest = 0;
  cv::minMaxLoc(picture(cv::Rect(90, 0, 40, 20)), nullptr, &highest);
  EXPECT_NEAR(highest, 0.98, 1e-6);
}

TEST(PhantomTest, StoredValuesStayWithinBitsStored) {
  const cv::Mat luminance = (cv::Mat_<float>(1, 5) << -1.0F, 0.0F, 0.5F, 1.0F, 5.0F);
  const cv::Mat stored =
      to_stored_values(luminance, {.bits_stored = 10, .black = 0.1, .white = 0.9});
  const cv::Mat expected = (cv::Mat_<std::uint16_t>(1, 5) << 0, 102, 512, 921, 1023);
  EXPECT_EQ(cv::countNonZero(stored != expected), 0) << stored;
  const cv::Mat inverted = to_stored_values(
      luminance, {.bits_stored = 10, .black = 0.1, .white = 0.9, .inverted = true});
  EXPECT_EQ(cv::countNonZero(inverted + stored != 1023), 0) << inverted;
  EXPECT_EQ(
      to_stored_values(luminance, {.bits_stored = 16, .black = 0, .white = 1}).at<std::uint16_t>(4),
      65535);
}

TEST(PhantomTest, RefusesWhatCannotBeDrawn) {
  PhantomSpec spec = small_spec(0);
  spec.height = 15;
  EXPECT_THROW(draw_phantom(spec), Error);
  spec.height = 20000;
  EXPECT_THROW(draw_phantom(spec), Error);
  spec = small_spec(0);
  spec.density = 4;
  EXPECT_THROW(draw_phantom(spec), Error);
  EXPECT_THROW(to_stored_values(cv::Mat::zeros(2, 2, CV_8U), {}), Error);
  EXPECT_THROW(to_stored_values(cv::Mat::zeros(2, 2, CV_32F), {.bits_stored = 17}), Error);
}

}  // namespace
}  // namespace mpbench::synth

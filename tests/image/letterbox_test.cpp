#include "mpbench/image/letterbox.hpp"

#include <gtest/gtest.h>

namespace mpbench::image {
namespace {

/// How many columns from the left, or rows from the top, are 0 all over.
int empty_columns(const cv::Mat& image) {
  int count = 0;
  while (count < image.cols && cv::countNonZero(image.col(count)) == 0) ++count;
  return count;
}
int empty_rows(const cv::Mat& image) { return empty_columns(image.t()); }

TEST(LetterboxTest, KeepsTheAspectAndPadsTheOtherSide) {
  const cv::Mat tall(200, 100, CV_32FC1, cv::Scalar(1));
  const auto left = letterbox(tall, 40, 40, HorizontalPlace::left);
  EXPECT_EQ(left.size(), cv::Size(40, 40));
  EXPECT_EQ(cv::countNonZero(left), 40 * 20);
  EXPECT_EQ(empty_columns(left), 0);
  EXPECT_EQ(empty_columns(letterbox(tall, 40, 40, HorizontalPlace::right)), 20);
  EXPECT_EQ(empty_columns(letterbox(tall, 40, 40, HorizontalPlace::centre)), 10);

  const auto wide = letterbox(tall.t(), 40, 40, HorizontalPlace::left);
  EXPECT_EQ(cv::countNonZero(wide), 40 * 20);
  EXPECT_EQ(empty_rows(wide), 10);
}

TEST(LetterboxTest, AveragesAreasWhenItShrinks) {
  cv::Mat board(64, 64, CV_32FC1);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) board.at<float>(y, x) = static_cast<float>((x + y) % 2);
  }
  const auto small = letterbox(board, 16, 16, HorizontalPlace::left);
  double low = 0;
  double high = 0;
  cv::minMaxLoc(small, &low, &high);
  EXPECT_FLOAT_EQ(static_cast<float>(low), 0.5F);  // sampling points would give 0 or 1
  EXPECT_FLOAT_EQ(static_cast<float>(high), 0.5F);
}

TEST(LetterboxTest, EnlargesWhatIsSmall) {
  const cv::Mat dot(1, 1, CV_8UC1, cv::Scalar(200));
  const auto large = letterbox(dot, 5, 3, HorizontalPlace::centre);
  EXPECT_EQ(large.size(), cv::Size(3, 5));
  EXPECT_EQ(cv::countNonZero(large == 200), 9);
}

TEST(LetterboxTest, KeepsALineVisible) {
  const cv::Mat line(1, 1000, CV_8UC1, cv::Scalar(100));
  const auto small = letterbox(line, 20, 20, HorizontalPlace::left);
  EXPECT_EQ(cv::countNonZero(small), 20);
}

}  // namespace
}  // namespace mpbench::image

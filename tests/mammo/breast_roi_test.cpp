#include "../../src/mammo/breast_roi.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "mpbench/core/error.hpp"

namespace mpbench::mammo {
namespace {

/// A dark frame with noise around `level`, as a detector gives it where no breast is.
cv::Mat background(int rows, int columns, double level = 0.05, double noise = 0.02) {
  cv::Mat picture(rows, columns, CV_32FC1);
  cv::RNG random(7);
  random.fill(picture, cv::RNG::NORMAL, level, noise);
  return picture;
}

/// Half an ellipse of tissue from one side, bright within and fading towards the skin.
void draw_breast(cv::Mat& picture, bool from_left, int reach, int half_height) {
  const int middle = picture.rows / 2;
  for (int row = 0; row < picture.rows; ++row) {
    for (int column = 0; column < picture.cols; ++column) {
      const double across =
          static_cast<double>(from_left ? column : picture.cols - 1 - column) / reach;
      const double down = static_cast<double>(row - middle) / half_height;
      const double radius = across * across + down * down;
      if (radius < 1)
        picture.at<float>(row, column) += static_cast<float>(0.15 + 0.5 * (1 - radius));
    }
  }
}

/// The breast's own edges; the box is a 64th of its longer side wider where the frame goes on.
void expect_box(const BreastRoi& roi, int left, int top, int right, int bottom, int tolerance) {
  ASSERT_TRUE(roi.found);
  const int margin = std::max(right - left, bottom - top) / 64;
  EXPECT_NEAR(roi.box.x, std::max(left - margin, 0), tolerance);
  EXPECT_NEAR(roi.box.y, std::max(top - margin, 0), tolerance);
  EXPECT_NEAR(roi.box.br().x, right + margin, tolerance);
  EXPECT_NEAR(roi.box.br().y, bottom + margin, tolerance);
  EXPECT_TRUE(left == 0 || roi.box.x < left);
  EXPECT_TRUE(top == 0 || roi.box.y < top);
}

TEST(BreastRoiTest, FindsABreastAtTheLeftEdge) {
  cv::Mat picture = background(1200, 900);
  draw_breast(picture, true, 400, 450);
  expect_box(find_breast(picture), 0, 150, 400, 1050, 15);
}

TEST(BreastRoiTest, FindsABreastAtTheRightEdge) {
  cv::Mat picture = background(1200, 900);
  draw_breast(picture, false, 400, 450);
  expect_box(find_breast(picture), 500, 150, 900, 1050, 15);
}

TEST(BreastRoiTest, KeepsTheFatNearTheSkin) {
  // Dense tissue twenty times above the fat must not push the limit up into the breast.
  cv::Mat picture = background(1000, 800, 0.02, 0.005);
  cv::ellipse(picture, {0, 500}, {500, 400}, 0, 0, 360, cv::Scalar(0.12), cv::FILLED);
  cv::ellipse(picture, {0, 500}, {200, 150}, 0, 0, 360, cv::Scalar(0.9), cv::FILLED);
  expect_box(find_breast(picture), 0, 100, 500, 900, 15);
}

TEST(BreastRoiTest, LeavesOutLabelsAndBorderLines) {
  cv::Mat picture = background(1200, 900);
  draw_breast(picture, true, 400, 400);
  cv::putText(picture, "R CC", {640, 120}, cv::FONT_HERSHEY_SIMPLEX, 3, cv::Scalar(1), 8);
  cv::line(picture, {898, 0}, {898, 1199}, cv::Scalar(1), 2);
  cv::line(picture, {0, 1198}, {899, 1198}, cv::Scalar(1), 2);
  expect_box(find_breast(picture), 0, 200, 400, 1000, 15);
}

TEST(BreastRoiTest, FindsABreastOnAnExactlyBlackBackground) {
  cv::Mat picture = cv::Mat::zeros(600, 500, CV_32FC1);
  draw_breast(picture, true, 250, 200);
  expect_box(find_breast(picture), 0, 100, 250, 500, 10);
}

TEST(BreastRoiTest, FindsABreastThatFillsMostOfTheFrame) {
  cv::Mat picture = background(1000, 800);
  cv::ellipse(picture, {0, 500}, {720, 700}, 0, 0, 360, cv::Scalar(0.5), cv::FILLED);
  expect_box(find_breast(picture), 0, 0, 720, 1000, 15);
}

TEST(BreastRoiTest, WorksOnSmallPictures) {
  cv::Mat picture = background(64, 48);
  draw_breast(picture, true, 30, 25);
  expect_box(find_breast(picture), 0, 7, 30, 57, 5);
}

/// A scan of a film in a larger, saturated frame: `widths` are its left, top, right and bottom.
cv::Mat framed(const cv::Mat& film, const cv::Vec4i& widths, double level = 1) {
  cv::Mat scan;
  cv::copyMakeBorder(film, scan, widths[1], widths[3], widths[0], widths[2], cv::BORDER_CONSTANT,
                     cv::Scalar(level));
  return scan;
}

TEST(BreastRoiTest, TakesOffABrightFrame) {
  cv::Mat film = background(1200, 900);
  draw_breast(film, true, 400, 450);
  const cv::Rect alone = find_breast(film).box;
  for (const auto& widths :
       {cv::Vec4i(60, 60, 60, 60), cv::Vec4i(12, 12, 12, 12), cv::Vec4i(0, 0, 60, 0),
        cv::Vec4i(60, 0, 0, 0), cv::Vec4i(0, 90, 0, 90), cv::Vec4i(200, 30, 80, 250),
        cv::Vec4i(60, 60, 0, 60)}) {
    const BreastRoi roi = find_breast(framed(film, widths));
    ASSERT_TRUE(roi.found) << widths;
    const cv::Rect expected = alone + cv::Point(widths[0], widths[1]);
    EXPECT_NEAR(roi.box.x, expected.x, 15) << widths;
    EXPECT_NEAR(roi.box.y, expected.y, 15) << widths;
    EXPECT_NEAR(roi.box.br().x, expected.br().x, 15) << widths;
    EXPECT_NEAR(roi.box.br().y, expected.br().y, 15) << widths;
    EXPECT_GE(roi.box.x, widths[0]) << "nothing of the frame is in the crop";
  }
}

TEST(BreastRoiTest, TakesOffAFrameThatIsAskewNoisyOrBlurred) {
  cv::Mat film = background(1200, 900);
  draw_breast(film, true, 400, 420);
  const cv::Mat scan = framed(film, {80, 80, 80, 80});
  const auto expect_near_the_breast = [](const cv::Mat& picture, const char* what) {
    const BreastRoi roi = find_breast(picture);
    EXPECT_TRUE(roi.found) << what;
    EXPECT_NEAR(roi.box.x, 95, 35) << what;
    EXPECT_NEAR(roi.box.y, 260, 40) << what;
    EXPECT_NEAR(roi.box.br().x, 486, 40) << what;
    EXPECT_NEAR(roi.box.br().y, 1100, 40) << what;
  };
  for (const double degrees : {-1.5, 1.0}) {
    cv::Mat askew;
    const cv::Point2f middle(static_cast<float>(scan.cols) / 2, static_cast<float>(scan.rows) / 2);
    cv::warpAffine(scan, askew, cv::getRotationMatrix2D(middle, degrees, 1), scan.size(),
                   cv::INTER_LINEAR, cv::BORDER_CONSTANT, cv::Scalar(1));
    expect_near_the_breast(askew, "askew");
  }
  cv::Mat noise(scan.size(), CV_32FC1);
  cv::RNG(3).fill(noise, cv::RNG::NORMAL, 0, 0.02);
  expect_near_the_breast(cv::min(scan + noise, 1.0), "noisy");
  cv::Mat blurred;
  cv::GaussianBlur(scan, blurred, cv::Size(31, 31), 6);
  expect_near_the_breast(blurred, "blurred");
  expect_near_the_breast(0.8 * scan, "not quite white");
}

TEST(BreastRoiTest, SaturatedTissueIsNoFrame) {
  cv::Mat picture = background(1000, 800);
  cv::ellipse(picture, {0, 500}, {720, 700}, 0, 0, 360, cv::Scalar(1), cv::FILLED);
  expect_box(find_breast(picture), 0, 0, 720, 1000, 15);
  // Saturated along nearly the whole chest wall, and darker from there on.
  picture = background(1000, 800);
  for (int row = 0; row < picture.rows; ++row) {
    for (int column = 0; column < 500; ++column) {
      const double y = (row - 500) / 520.0;
      const double x = column / 500.0;
      if (x * x + y * y >= 1) continue;
      picture.at<float>(row, column) = static_cast<float>(std::min(1.0, 1.25 - x));
    }
  }
  expect_box(find_breast(picture), 0, 0, 500, 1000, 15);
}

void expect_whole_frame(const cv::Mat& picture) {
  const BreastRoi roi = find_breast(picture);
  EXPECT_FALSE(roi.found);
  EXPECT_EQ(roi.box, cv::Rect(0, 0, picture.cols, picture.rows));
}

TEST(BreastRoiTest, KeepsTheWholeFrameOfNoise) {
  expect_whole_frame(background(1200, 900));
  expect_whole_frame(background(300, 200, 0.5, 0.1));
}

TEST(BreastRoiTest, KeepsTheWholeFrameOfAConstantPicture) {
  expect_whole_frame(cv::Mat(300, 200, CV_32FC1, cv::Scalar(0)));
  expect_whole_frame(cv::Mat(300, 200, CV_32FC1, cv::Scalar(1)));
  expect_whole_frame(cv::Mat(1, 1, CV_32FC1, cv::Scalar(0.5)));
}

TEST(BreastRoiTest, KeepsTheWholeFrameWhenOnlyALabelStandsOut) {
  cv::Mat picture = background(1200, 900);
  cv::rectangle(picture, {700, 50, 120, 60}, cv::Scalar(1), cv::FILLED);
  expect_whole_frame(picture);
}

TEST(BreastRoiTest, KeepsTheWholeFrameOfAFrameAroundNothing) {
  expect_whole_frame(framed(background(1200, 900), {60, 60, 60, 60}));
}

TEST(BreastRoiTest, RefusesOtherMatrices) {
  EXPECT_THROW(find_breast(cv::Mat()), Error);
  EXPECT_THROW(find_breast(cv::Mat::zeros(5, 5, CV_8UC1)), Error);
}

}  // namespace
}  // namespace mpbench::mammo

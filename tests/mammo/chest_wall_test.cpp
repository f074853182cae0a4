#include "../../src/mammo/chest_wall.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace mpbench::mammo {
namespace {

TEST(ChestWallTest, FindsTheChestWall) {
  cv::Mat breast(100, 80, CV_32FC1, cv::Scalar(0));
  breast.colRange(40, 80).setTo(0.5);
  EXPECT_EQ(chest_wall_side(breast), image::HorizontalPlace::right);
  cv::Mat mirrored;
  cv::flip(breast, mirrored, 1);
  EXPECT_EQ(chest_wall_side(mirrored), image::HorizontalPlace::left);
}

}  // namespace
}  // namespace mpbench::mammo

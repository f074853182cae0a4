#include "chest_wall.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

namespace mpbench::mammo {

image::HorizontalPlace chest_wall_side(const cv::Mat& crop) {
  const int band = std::max(1, crop.cols / 8);
  const double left = cv::mean(crop.colRange(0, band))[0];
  const double right = cv::mean(crop.colRange(crop.cols - band, crop.cols))[0];
  return left >= right ? image::HorizontalPlace::left : image::HorizontalPlace::right;
}

}  // namespace mpbench::mammo

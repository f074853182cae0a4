#include "mpbench/image/letterbox.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace mpbench::image {

cv::Mat letterbox(const cv::Mat& image, int height, int width, HorizontalPlace place) {
  const double scale =
      std::min(static_cast<double>(height) / image.rows, static_cast<double>(width) / image.cols);
  const cv::Size size(std::clamp(static_cast<int>(std::lround(image.cols * scale)), 1, width),
                      std::clamp(static_cast<int>(std::lround(image.rows * scale)), 1, height));
  cv::Mat resized;
  cv::resize(image, resized, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  const int top = (height - size.height) / 2;
  const int spare = width - size.width;
  const int left = place == HorizontalPlace::left    ? 0
                   : place == HorizontalPlace::right ? spare
                                                     : spare / 2;
  cv::Mat framed;
  cv::copyMakeBorder(resized, framed, top, height - size.height - top, left, spare - left,
                     cv::BORDER_CONSTANT, cv::Scalar::all(0));
  return framed;
}

}  // namespace mpbench::image

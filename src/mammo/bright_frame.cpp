#include "bright_frame.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

namespace mpbench::mammo {
namespace {

// Of the image's highest value: compression leaves ripples in what was saturated.
constexpr double saturated_share = 0.94;
// Notches, numbers and corners of the film interrupt a frame.
constexpr double full_line = 0.9;
constexpr double line_without_frame = 0.1;
// Of the other side, taken from its both ends as well: there the neighbouring frames are.
constexpr double widest_frame = 0.25;
// A film that lies askew by two degrees makes the frame's edge so steep.
constexpr double widest_slant = 0.04;
// The film's edge is a shadow of a few lines, each this much darker than the one before.
constexpr int widest_shadow = 4;
constexpr double least_step = 0.02;
// What lies inside is darker than this: tissue that is nearly saturated is no frame's inside.
constexpr double darkest_frame = 0.75;

float median_of(const cv::Mat& row) {
  std::vector<float> values(row.begin<float>(), row.end<float>());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// How many of an image's first rows a frame takes; the frame may be interrupted and askew.
int frame_rows(const cv::Mat& picture, double highest) {
  const double white = saturated_share * highest;
  if (cv::countNonZero(picture.row(0) >= white) < full_line * picture.cols) return 0;
  const int ends = static_cast<int>(widest_frame * picture.cols);
  const cv::Mat middle = picture.colRange(ends, picture.cols - ends);
  const cv::Mat saturated = middle >= white;
  cv::Mat from_edge = saturated.row(0).clone();  // saturated from the edge up to this row
  const auto share = [&] {
    return static_cast<double>(cv::countNonZero(from_edge)) / from_edge.cols;
  };
  const int most = static_cast<int>(widest_frame * picture.rows);
  int row = 0;
  const auto go_on_while_above = [&](double least, int end) {
    while (row < end && share() > least) {
      ++row;
      cv::bitwise_and(from_edge, saturated.row(row), from_edge);
    }
  };
  go_on_while_above(full_line, most);
  const int full = row;
  go_on_while_above(line_without_frame,
                    std::min(most, full + 2 + static_cast<int>(widest_slant * middle.cols)));
  if (full == 0 || share() > line_without_frame) return 0;
  const int slanted = row - full;
  const int shadow_end = std::min(row + widest_shadow, most);
  while (row < shadow_end &&
         median_of(middle.row(row)) - median_of(middle.row(row + 1)) > least_step * highest) {
    ++row;
  }
  if (median_of(middle.row(row)) > darkest_frame * highest) return 0;
  return row + slanted * ends / middle.cols;  // the slant goes on beside the middle
}

}  // namespace

cv::Rect inside_bright_frame(const cv::Mat& picture) {
  const cv::Rect whole(0, 0, picture.cols, picture.rows);
  double highest = 0;
  cv::minMaxLoc(picture, nullptr, &highest);
  cv::Mat turned;
  cv::transpose(picture, turned);
  const auto from_end = [&](const cv::Mat& side) {
    cv::Mat flipped;
    cv::flip(side, flipped, 0);
    return frame_rows(flipped, highest);
  };
  const int top = frame_rows(picture, highest);
  const int bottom = from_end(picture);
  const int left = frame_rows(turned, highest);
  const int right = from_end(turned);
  const cv::Rect inside(left, top, picture.cols - left - right, picture.rows - top - bottom);
  return inside.width > 0 && inside.height > 0 ? inside : whole;
}

}  // namespace mpbench::mammo

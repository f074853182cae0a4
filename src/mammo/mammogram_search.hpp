#pragma once

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

/// What mammograms have in common, whether they lie in DICOM files or in images.
namespace mpbench::mammo {

// find_breast works on 384 pixels; from fewer than this it would lose the nipple and gain letters.
inline constexpr int least_search_size = 300;

inline int largest_side(const cv::Size& size) { return std::max(size.width, size.height); }

/// The breast is sought in an image of means over so many rows and columns: the whole frame in
/// float would be much larger than the frame.
inline int search_factor(const cv::Size& frame) {
  return std::clamp(largest_side(frame) / (2 * least_search_size), 1,
                    std::min(frame.width, frame.height));
}

inline cv::Rect scaled_up(const cv::Rect& box, int factor, const cv::Size& frame) {
  return cv::Rect(box.x * factor, box.y * factor, box.width * factor, box.height * factor) &
         cv::Rect(cv::Point(), frame);
}

/// A float image in memory that a thread keeps from one mammogram to the next: asking the system
/// for a hundred megabytes takes as long as filling them.
inline cv::Mat thread_image(const cv::Size& size) {
  thread_local std::vector<float> memory;
  memory.resize(std::max(memory.size(), static_cast<std::size_t>(size.area())));
  return cv::Mat(size, CV_32FC1, memory.data());
}

}  // namespace mpbench::mammo

#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace mpbench::mammo {

/// What a bright frame leaves of an image ([rows, columns] CV_32FC1): a scanned film has one where
/// the light came past it. A side has a frame where its outermost lines are saturated nearly all
/// along, and then, within a few lines, no more: it is straight, though the film may have lain a
/// little askew. Tissue that is saturated at the chest wall ends in a curve. Without a frame, and
/// where one would take more than a quarter of a side, that side is left as it is.
cv::Rect inside_bright_frame(const cv::Mat& picture);

}  // namespace mpbench::mammo

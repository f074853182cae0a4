#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace mpbench::mammo {

/// Where the breast lies in a mammogram.
struct BreastRoi {
  cv::Rect box;        ///< in pixels; the whole frame when the breast was not found
  bool found = false;  ///< whether a component of a sane size stood out from the background
};

/// Finds the breast in an image ([rows, columns] CV_32FC1 in [0, 1], as to_display makes it): a
/// threshold between background and tissue, cleaned, and the largest component, which may touch any
/// edge. The background may be noisy and above zero; a saturated frame around a scanned film is
/// taken off first. Never fails: an image without a breast that stands out gives the whole frame
/// and found = false. Throws Error for another kind of matrix.
BreastRoi find_breast(const cv::Mat& display);

}  // namespace mpbench::mammo

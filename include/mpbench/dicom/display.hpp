#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "mpbench/dicom/dicom_file.hpp"

namespace mpbench::dicom {

/// What mapped modality values to what is shown (PS3.3 C.11.2).
enum class VoiSource { window, lookup_table, value_range };

/// A picture as a reader would see it: 0 is black, 1 is white.
struct DisplayImage {
  cv::Mat pixels;  ///< [rows, columns] CV_32FC1 in [0, 1]
  VoiSource voi = VoiSource::value_range;
  cv::Mat background;  ///< [rows, columns] CV_8UC1, 255 where the file has padding; empty if none
  /// Which VOI transformation was used ("window 1 of 2: 2047.0/4096.0 SIGMOID", "VOI LUT 1 of 1",
  /// "min-max: no window", "min-max: invalid window (width 0)"), for records.
  std::string window;
};

/// Stored values to modality units (PS3.3 C.11.1): the modality LUT, or slope * x + intercept, or
/// the values themselves. [rows, columns] CV_32FC1. Throws Error for colour images and for slope 0.
cv::Mat to_modality(const StoredImage& image);

/// Stored values to a picture: modality, padding, VOI (the first window, else the first VOI LUT,
/// else minimum to maximum without padding), inversion (PS3.3 C.11.1, C.11.2, C.7.5.1.1.2,
/// C.7.6.3.1.2). Padding becomes 0 (black). An invalid window falls back to minimum-maximum, which
/// `window` says. Throws Error for colour images and for slope 0.
DisplayImage to_display(const StoredImage& image);

}  // namespace mpbench::dicom

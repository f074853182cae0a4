#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "mpbench/dicom/dicom_file.hpp"

namespace mpbench::dicom {

/// What mapped modality values to what is shown (PS3.3 C.11.2).
enum class VoiSource { window, lookup_table, value_range };

/// An image as a reader would see it: 0 is black, 1 is white.
struct DisplayImage {
  cv::Mat pixels;  ///< [rows, columns] CV_32FC1 in [0, 1]
  /// Which VOI transformation was used ("window 1 of 2: 2047.0/4096.0 SIGMOID", "VOI LUT 1 of 1",
  /// "min-max: no window", "min-max: invalid window (width 0)"), for records.
  std::string window;
};

/// Stored values to modality units (PS3.3 C.11.1): the modality LUT, or slope * x + intercept, or
/// the values themselves. [rows, columns] CV_32FC1. Throws Error for colour images and for slope 0.
cv::Mat to_modality(const DecodedFrame& image);

/// What each stored value of one image is shown as, for those who want a part of the image or a
/// smaller one: to_display with less memory.
class DisplayTransform {
 public:
  /// Throws as to_display.
  explicit DisplayTransform(const DecodedFrame& image);
  const std::string& window() const { return window_; }  ///< as DisplayImage::window
  VoiSource voi() const { return voi_; }

  /// The image of the image's pixels, or of a part of them: CV_32FC1 in [0, 1].
  cv::Mat apply(const cv::Mat& pixels) const;
  /// The same into `shown`, which is used again where it has the size already.
  void apply(const cv::Mat& pixels, cv::Mat& shown) const;
  /// The image's means over blocks of `factor` x `factor` pixels: [rows / factor, columns /
  /// factor] CV_32FC1. The last rows and columns that fill no block are left out. Throws Error for
  /// a factor below 1 or above a side.
  cv::Mat apply_averaged(const cv::Mat& pixels, int factor) const;

 private:
  int depth_;
  std::vector<float> shown_;  // by the bits of the stored value
  std::string window_;
  VoiSource voi_ = VoiSource::value_range;
};

/// Stored values to an image: modality, padding, VOI (the first window, else the first VOI LUT,
/// else minimum to maximum without padding), inversion (PS3.3 C.11.1, C.11.2, C.7.5.1.1.2,
/// C.7.6.3.1.2). Padding becomes 0 (black). An invalid window falls back to minimum-maximum, which
/// `window` says. Throws Error for colour images and for slope 0.
DisplayImage to_display(const DecodedFrame& image);

}  // namespace mpbench::dicom

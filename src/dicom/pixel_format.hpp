#pragma once

#include <opencv2/core/hal/interface.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

class DcmItem;

namespace mpbench::dicom {

/// A dataset is damaged, or not what it says; whoever knows the file's path adds it.
class FieldError : public std::runtime_error {
 public:
  /// `field` in the standard's words ("BitsStored", "PixelData").
  FieldError(std::string field, const std::string& problem)
      : std::runtime_error(problem), field_(std::move(field)) {}
  const std::string& field() const { return field_; }

 private:
  std::string field_;
};

/// What a dataset says of its pixels (PS3.3 C.7.6.3), checked.
struct PixelFormat {
  int rows = 0;
  int columns = 0;
  int frames = 1;
  int samples = 1;
  int bits_allocated = 16;  ///< 8 or 16
  int bits_stored = 16;
  int high_bit = 15;
  bool is_signed = false;
  bool planar = false;  ///< colour by plane instead of colour by pixel
  std::string photometric;

  std::size_t frame_bytes() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) *
           static_cast<std::size_t>(samples) * static_cast<std::size_t>(bits_allocated / 8);
  }
  /// OpenCV's name for what a value is: CV_8U, CV_8S, CV_16U or CV_16S.
  int depth() const {
    return bits_allocated == 16 ? (is_signed ? CV_16S : CV_16U) : (is_signed ? CV_8S : CV_8U);
  }
};

/// Reads and checks the format; throws FieldError naming the attribute that is missing, makes no
/// sense or that this program does not read.
PixelFormat read_pixel_format(DcmItem& dataset);

}  // namespace mpbench::dicom

#pragma once

#include <cstddef>
#include <span>

namespace mpbench::dicom {

/// What a JPEG stream's frame header says (ITU-T T.81 B.2.2).
struct JpegHeader {
  int precision = 0;
  int height = 0;
  int width = 0;
  int components = 0;
};

/// Throws FieldError("PixelData", ...) where a component comes in no scan or, in a progressive
/// stream, some of its coefficients or their lowest bits do (ITU-T T.81 G.1.1): libjpeg decodes
/// what there is.
void check_scans(std::span<const std::byte> frame);

/// Reads the first SOF marker of a JPEG stream, so that its size can be compared with the dataset
/// before a decoder trusts it. Throws FieldError("PixelData", ...) when there is none.
JpegHeader read_jpeg_header(std::span<const std::byte> frame);

}  // namespace mpbench::dicom

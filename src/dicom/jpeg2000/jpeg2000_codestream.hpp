#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mpbench::dicom {

/// What a JPEG 2000 codestream's SIZ marker says (ISO/IEC 15444-1 A.5.1).
struct CodestreamHeader {
  std::uint32_t left = 0;  ///< image offset in the reference grid, most often 0
  std::uint32_t top = 0;
  std::uint32_t width = 0;  ///< of the image area, in reference grid units
  std::uint32_t height = 0;
  int components = 0;
  int precision = 0;         ///< bits of a value, equal in all components
  bool is_signed = false;    ///< equal in all components
  bool jp2_wrapped = false;  ///< the codestream stood in a JP2 file
};

/// Throws FieldError("PixelData", problem).
[[noreturn]] void refuse_codestream(const std::string& problem);

/// Whether a JPEG 2000 frame, raw or JP2-wrapped, begins here.
bool begins_jpeg2000(std::span<const std::byte> bytes);

/// The codestream in a frame: all of it, or what its JP2 file wraps. Throws FieldError("PixelData",
/// ...) when there is none.
std::span<const std::byte> find_codestream(std::span<const std::byte> frame);

/// Reads a frame's SIZ marker. Throws FieldError("PixelData", ...) when there is none, or when
/// components are subsampled or differ from one another.
CodestreamHeader read_codestream_header(std::span<const std::byte> frame);

}  // namespace mpbench::dicom

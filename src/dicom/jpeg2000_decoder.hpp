#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pixel_format.hpp"

namespace mpbench::dicom {

/// What a JPEG 2000 codestream's SIZ marker says (ISO/IEC 15444-1 A.5.1).
struct CodestreamHeader {
  std::uint32_t width = 0;  ///< of the image area, in reference grid units
  std::uint32_t height = 0;
  int components = 0;
  int precision = 0;         ///< bits of a value, equal in all components
  bool is_signed = false;    ///< equal in all components
  bool jp2_wrapped = false;  ///< the codestream stood in a JP2 file
};

/// Whether a JPEG 2000 frame, raw or JP2-wrapped, begins here.
bool begins_jpeg2000(std::span<const std::byte> bytes);

/// Reads the SIZ marker. Throws FieldError("PixelData", ...) when there is none, or when components
/// are subsampled or differ from one another.
CodestreamHeader read_codestream_header(std::span<const std::byte> frame);

/// Decodes one frame into `out`, which holds format.frame_bytes(): colour by pixel, native byte
/// order, values as PixelRepresentation wants them. Where the codestream's sign differs from it,
/// its lowest `precision` bits are taken and read with the dataset's sign. The size is compared
/// with the dataset before OpenJPEG sees the data, so that a header cannot ask for memory. Throws
/// FieldError.
void decode_jpeg2000(std::span<const std::byte> frame, const PixelFormat& format,
                     std::span<std::byte> out);

}  // namespace mpbench::dicom

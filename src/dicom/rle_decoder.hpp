#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "pixel_format.hpp"

namespace mpbench::dicom {

/// Decodes one RLE frame (PS3.5 Annex G) into `out`, which holds format.frame_bytes(): colour by
/// pixel, native byte order. DCMTK 3.6.7's decoder trusts the segment offsets and can be made to
/// read anywhere, hence this one. Throws FieldError("PixelData", ...) for a header or a segment
/// that makes no sense, and for a segment with fewer or more values than the frame has; zeros after
/// them go to `notes`.
void decode_rle(std::span<const std::byte> frame, const PixelFormat& format,
                std::span<std::byte> out, std::vector<std::string>& notes);

}  // namespace mpbench::dicom

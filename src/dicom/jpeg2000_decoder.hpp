#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>

#include "mpbench/dicom/dicom_file.hpp"
#include "pixel_format.hpp"

namespace mpbench::dicom {

/// Decodes one JPEG 2000 frame: [rows, columns] of 8 or 16 bits and format.samples channels, or
/// what `decoding` asks for; values as PixelRepresentation wants them. Where the codestream's sign
/// differs from it, its lowest `precision` bits are taken and read with the dataset's sign. The
/// size is compared with the dataset before OpenJPEG sees the data, so that a header cannot ask for
/// memory. Throws FieldError, also for a reduction beyond the codestream's levels.
cv::Mat decode_jpeg2000(std::span<const std::byte> frame, const PixelFormat& format,
                        const Decoding& decoding = {});

}  // namespace mpbench::dicom

#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>

#include "../pixel_format.hpp"
#include "mpbench/dicom/dicom_file.hpp"

namespace mpbench::dicom {

/// How often a frame can be halved while it is decoded: its fewest decomposition levels. 0 where
/// its sign is not the dataset's, so that values may wrap around, and 0 unless its tile-parts
/// follow one another up to the end marker: a decoder that skips the finest resolutions does not
/// notice that they are missing. Throws FieldError where no codestream begins.
int max_reduction(std::span<const std::byte> frame, const PixelFormat& format);

/// Decodes one JPEG 2000 frame: [rows, columns] of 8 or 16 bits and format.samples channels, or
/// what `options` asks for; values as PixelRepresentation wants them. Where the codestream's sign
/// differs from it, its lowest `precision` bits are taken and read with the dataset's sign. The
/// size is compared with the dataset before OpenJPEG sees the data, so that a header cannot ask for
/// memory, and its structure is checked: a missing tile would come back black, a missing packet as
/// an image without its details. Damage within a code-block cannot be seen, unless the encoder has
/// put in what tells (D.5). Throws FieldError, also for a reduction beyond max_reduction.
cv::Mat decode_jpeg2000(std::span<const std::byte> frame, const PixelFormat& format,
                        const DecodeOptions& options = {});

}  // namespace mpbench::dicom

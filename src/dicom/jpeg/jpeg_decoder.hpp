#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "../pixel_format.hpp"

namespace mpbench::dicom {

/// Decodes one JPEG frame (ITU-T T.81: baseline, extended, progressive or lossless, Huffman-coded)
/// into `out`, which holds format.frame_bytes(): colour by pixel, in the stream's own colour model.
///
/// Throws FieldError("PixelData", ...) for a stream of another size or depth than the dataset says,
/// and for one that is damaged or ends before its last pixel: DCMTK's decoder, which does the work,
/// would fill the rest with grey and report success. What is odd and leaves every value whole goes
/// to `notes`: a missing end marker, zero bytes before a marker, odd headers. Damage that leaves a
/// valid stream cannot be seen.
void decode_jpeg(std::span<const std::byte> encoded, const PixelFormat& format,
                 std::span<std::byte> out, std::vector<std::string>& notes);

}  // namespace mpbench::dicom

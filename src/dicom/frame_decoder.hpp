#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "frame_fragments.hpp"
#include "mpbench/dicom/dicom_file.hpp"
#include "pixel_format.hpp"

class DcmDataset;
class DcmPixelData;
class DcmXfer;

namespace mpbench::dicom {

/// How a transfer syntax encodes pixels, as far as this program reads it.
enum class Coding { native, rle, jpeg, jpeg2000 };

/// Throws FieldError("TransferSyntaxUID", ...) for a syntax that is not read.
Coding coding_of(const DcmXfer& syntax);

/// Throws FieldError for a photometric interpretation that is not read in this coding, or does not
/// fit SamplesPerPixel.
void check_photometric(const PixelFormat& format, Coding coding);

/// One encapsulated frame. Throws FieldError.
EncodedFrame encoded_frame(DcmPixelData& pixel_data, const DcmXfer& syntax,
                           const PixelFormat& format, int frame);

/// Decodes a frame's stored values to [rows, columns], or what `options` asks for where the frame
/// is JPEG 2000. `format.photometric` becomes that of the decoded pixels; oddities go to `notes`.
/// Throws FieldError.
cv::Mat decode_frame(DcmDataset& dataset, DcmPixelData& pixel_data, const DcmXfer& syntax,
                     Coding coding, PixelFormat& format, int frame, const DecodeOptions& options,
                     std::vector<std::string>& notes);

}  // namespace mpbench::dicom

#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace mpbench::dicom {

/// One frame as a reversible (lossless) JPEG 2000 codestream, ISO/IEC 15444-1.
/// `pixels` is [rows, columns] of 1 or 3 channels (8U, 8S, 16U or 16S); `bits_stored` becomes the
/// codestream's precision and `is_signed` its sign. `wrap_in_jp2` puts the codestream in a JP2
/// file, which PS3.5 A.4.4 forbids and real mammograms have nevertheless. The same pixels give the
/// same bytes. Throws Error when a value does not fit in `bits_stored` or the matrix is of another
/// kind.
std::vector<std::byte> encode_jpeg2000_lossless(const cv::Mat& pixels, int bits_stored,
                                                bool is_signed, bool wrap_in_jp2);

}  // namespace mpbench::dicom

#pragma once

#include <string>
#include <vector>

#include "mpbench/dicom/dicom_file.hpp"
#include "pixel_format.hpp"

class DcmItem;

namespace mpbench::dicom {

/// Reads what a dataset says of one frame's pixels: from the dataset itself, or from the functional
/// groups of an enhanced multi-frame object (PS3.3 C.7.6.16). Oddities that only matter to the
/// display are kept as they are and told in `notes`. Does not set the transfer syntax.
ImageAttributes read_attributes(DcmItem& dataset, const PixelFormat& format, int frame,
                                std::vector<std::string>& notes);

}  // namespace mpbench::dicom

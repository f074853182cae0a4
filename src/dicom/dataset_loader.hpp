#pragma once

#include <dcmtk/config/osconfig.h>

#include <dcmtk/ofstd/ofcond.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

class DcmFileFormat;

namespace mpbench::dicom {

/// Parses a DICOM file as load_guarded() does, without what follows its last element: line ends of
/// a transfer in text mode, zeros that fill a tape's block and the like are left out, whatever
/// their length, and told in `notes`. Only behind a complete PixelData, which comes last or nearly
/// so.
///
/// What follows and is an element, or begins as one, is parsed: a file that breaks off in the
/// middle of one has a bad condition. Throws FieldError("dataset", ...) when another image follows:
/// the two would be mixed.
OFCondition load_dataset(std::span<const std::byte> bytes, DcmFileFormat& file,
                         std::vector<std::string>& notes);

}  // namespace mpbench::dicom

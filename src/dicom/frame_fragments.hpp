#pragma once

#include <cstddef>
#include <span>
#include <vector>

class DcmPixelSequence;

namespace mpbench::dicom {

/// The fragments of one frame in an encapsulated PixelData: items [first, last) of the sequence,
/// item 0 being the offset table (PS3.5 A.4).
struct FrameFragments {
  unsigned long first = 1;
  unsigned long last = 1;
};

/// Finds a frame's fragments: all of them when there is one frame, one each when their counts
/// agree, else by the offset table, else (table empty or wrong) by where codestreams begin. Throws
/// FieldError("PixelData", ...) when none of these tells, or the frame is not there.
FrameFragments find_fragments(DcmPixelSequence& sequence, int frame, int frames);

/// The bytes of one encoded frame: its only fragment's own, or several joined.
struct EncodedFrame {
  std::span<const std::byte> bytes;  ///< valid as long as the sequence
  std::vector<std::byte> joined;
};

/// The bytes of these fragments. A single one is not copied. Throws FieldError.
EncodedFrame read_fragments(DcmPixelSequence& sequence, FrameFragments fragments);

}  // namespace mpbench::dicom

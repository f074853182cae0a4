#pragma once

#include <dcmtk/config/osconfig.h>

#include <dcmtk/ofstd/ofcond.h>

#include <cstddef>
#include <span>

#include "pixel_data_watch.hpp"

class DcmFileFormat;

namespace mpbench::dicom {

/// How much a file may make DCMTK's parser use. The defaults leave every honest file far below.
struct ParserLimits {
  /// DCMTK 3.6.7 recurses 1.5 KB deep for each sequence in a sequence, so that this allows about
  /// 700; a thread has 8 MB.
  std::size_t stack_bytes = std::size_t{1} << 20;
  /// Elements, items and fragments together. DCMTK takes about 260 bytes of memory for each, which
  /// may be 8 bytes in the file.
  std::size_t objects = std::size_t{1} << 20;
  /// Elements of one item. Each is inserted by a walk past all that are larger, so that the time is
  /// quadratic where they stand in descending order: 60,000 take 6 s.
  std::size_t elements_in_item = 8192;
  /// What a deflated dataset may inflate to: at most `inflated_bytes`, and over
  /// `unquestioned_bytes` not more than `inflation_ratio` times what it takes deflated. Deflate
  /// reaches 1032.
  std::size_t inflated_bytes = std::size_t{1} << 30;
  std::size_t unquestioned_bytes = std::size_t{128} << 20;
  std::size_t inflation_ratio = 64;
};

/// Parses a DICOM file that lies in memory, as DcmFileFormat::loadFile() does one on disk, with the
/// same conditions for bad ones; beyond those, a file over the limits, and a deflated dataset that
/// is damaged or cut off, end in a condition that says so. Whatever the outcome, `file` holds what
/// was read until then.
///
/// `bytes` must outlive `file`: values over 4 KB stay where they are until they are asked for,
/// those of a deflated dataset in a buffer that the elements share. No more memory is taken for a
/// value than it has bytes in the file, whatever its length says. `after`, where it is given, says
/// what came after PixelData. Throws std::bad_alloc.
OFCondition load_guarded(std::span<const std::byte> bytes, DcmFileFormat& file,
                         const ParserLimits& limits = {}, AfterPixelData* after = nullptr);

}  // namespace mpbench::dicom

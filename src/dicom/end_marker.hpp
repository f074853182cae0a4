#pragma once

#include <cstddef>
#include <span>

namespace mpbench::dicom {

/// Whether a JPEG or JPEG 2000 stream ends in its end marker (EOI and EOC are both FF D9), zero
/// bytes after it not counted: encoders and datasets pad.
inline bool has_end_marker(std::span<const std::byte> stream) {
  std::size_t end = stream.size();
  while (end > 2 && stream[end - 1] == std::byte{0}) --end;
  return end >= 2 && stream[end - 2] == std::byte{0xFF} && stream[end - 1] == std::byte{0xD9};
}

}  // namespace mpbench::dicom

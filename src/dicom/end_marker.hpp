#pragma once

#include <cstddef>
#include <span>

namespace mpbench::dicom {

/// Where a JPEG or JPEG 2000 stream's end marker begins (EOI and EOC are both FF D9), or the
/// stream's length where it does not end in one. Zero bytes after it are not counted: encoders and
/// datasets pad.
inline std::size_t end_marker_offset(std::span<const std::byte> stream) {
  std::size_t end = stream.size();
  while (end > 2 && stream[end - 1] == std::byte{0}) --end;
  const bool found =
      end >= 2 && stream[end - 2] == std::byte{0xFF} && stream[end - 1] == std::byte{0xD9};
  return found ? end - 2 : stream.size();
}

/// Whether a stream ends in its end marker.
inline bool has_end_marker(std::span<const std::byte> stream) {
  return end_marker_offset(stream) < stream.size();
}

}  // namespace mpbench::dicom

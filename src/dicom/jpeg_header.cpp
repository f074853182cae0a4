#include "jpeg_header.hpp"

#include "pixel_format.hpp"

namespace mpbench::dicom {

JpegHeader read_jpeg_header(std::span<const std::byte> frame) {
  const auto byte = [&](std::size_t i) { return std::to_integer<int>(frame[i]); };
  const auto word = [&](std::size_t i) { return byte(i) << 8 | byte(i + 1); };
  if (frame.size() < 4 || word(0) != 0xFFD8) {
    throw FieldError("PixelData", "is no JPEG stream, though the transfer syntax says so");
  }
  std::size_t position = 2;
  while (position + 4 <= frame.size()) {
    if (byte(position) != 0xFF) break;
    const int marker = byte(position + 1);
    if (marker == 0xFF) {  // fill byte
      ++position;
      continue;
    }
    const auto length = static_cast<std::size_t>(word(position + 2));
    // SOF0 to SOF15, of which C4, C8 and CC are other markers.
    const bool is_frame_header =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame_header) {
      if (position + 10 > frame.size()) break;
      return {byte(position + 4), word(position + 5), word(position + 7), byte(position + 9)};
    }
    if (length < 2) break;
    position += 2 + length;
  }
  throw FieldError("PixelData", "the JPEG stream has no frame header");
}

}  // namespace mpbench::dicom

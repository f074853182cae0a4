#include "rle_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "mpbench/io/endian.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t header_bytes = 64;  // a count and 15 offsets, 32 bits each, little-endian

std::size_t header_field(Bytes frame, std::size_t index) { return little_endian(frame, 4 * index); }

/// Unpacks one segment into every `stride`-th byte from out[first] on, `count` of them (PS3.5
/// G.3.2). Returns how many bytes it has after them: padding, which is zero. Anything else there is
/// what a damaged run has pushed past the end.
std::size_t unpack_segment(Bytes segment, std::span<std::byte> out, std::size_t first,
                           std::size_t stride, std::size_t count) {
  std::size_t written = 0;
  std::size_t position = 0;
  std::size_t overrun = 0;
  while (written < count && position < segment.size()) {
    const int control = static_cast<std::int8_t>(segment[position++]);
    if (control == -128) continue;  // no operation
    const bool literal = control >= 0;
    const auto length = static_cast<std::size_t>(literal ? control + 1 : 1 - control);
    if (position + (literal ? length : 1) > segment.size()) break;
    const std::size_t kept = std::min(length, count - written);
    for (std::size_t i = 0; i < kept; ++i) {
      out[first + (written + i) * stride] = segment[literal ? position + i : position];
    }
    written += kept;
    overrun = length - kept;
    position += literal ? length : 1;
  }
  if (written < count) {
    throw FieldError("PixelData",
                     fmt::format("an RLE segment gives {} bytes, not {}", written, count));
  }
  const Bytes rest = segment.subspan(position);
  const bool is_padding =
      std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
  // Encoders that are given an odd number of bytes in an even buffer code all of it.
  if (!is_padding || overrun > count % 2) {
    throw FieldError("PixelData",
                     fmt::format("an RLE segment has more data than its {} bytes", count));
  }
  return overrun + rest.size();
}

}  // namespace

void decode_rle(Bytes frame, const PixelFormat& format, std::span<std::byte> out,
                std::vector<std::string>& notes) {
  const auto pixels =
      static_cast<std::size_t>(format.rows) * static_cast<std::size_t>(format.columns);
  const auto samples = static_cast<std::size_t>(format.samples);
  const auto sample_bytes = static_cast<std::size_t>(format.bits_allocated / 8);
  const std::size_t segments = samples * sample_bytes;
  if (frame.size() < header_bytes) throw FieldError("PixelData", "the RLE header is cut off");
  if (header_field(frame, 0) != segments) {
    throw FieldError("PixelData",
                     fmt::format("has {} RLE segments, {} samples of {} bytes need {}",
                                 header_field(frame, 0), samples, sample_bytes, segments));
  }
  if (out.size() < pixels * segments) throw FieldError("PixelData", "the buffer is too small");
  std::size_t most_left = 0;
  for (std::size_t segment = 0; segment < segments; ++segment) {
    const std::size_t begin = header_field(frame, 1 + segment);
    const std::size_t end =
        segment + 1 < segments ? header_field(frame, 2 + segment) : frame.size();
    if (begin < header_bytes || begin > end || end > frame.size()) {
      throw FieldError("PixelData", fmt::format("RLE segment {} is not within the frame", segment));
    }
    // A sample's most significant byte comes first, whatever the machine's order (PS3.5 G.2).
    static_assert(std::endian::native == std::endian::little);
    const std::size_t sample = segment / sample_bytes;
    const std::size_t byte = sample_bytes - 1 - segment % sample_bytes;
    const std::size_t left = unpack_segment(frame.subspan(begin, end - begin), out,
                                            sample * sample_bytes + byte, segments, pixels);
    most_left = std::max(most_left, left);
  }
  // One byte makes a segment's length even (PS3.5 G.3.1).
  if (most_left > 1) {
    notes.push_back(fmt::format("an RLE segment has {} bytes after its values", most_left));
  }
}

}  // namespace mpbench::dicom

#include "jpeg_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

#include "../pixel_format.hpp"
#include "mpbench/io/endian.hpp"
#include "mpbench/io/jpeg_markers.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

/// The marker segments of a stream, one after the other (B.1.1).
class Segments {
 public:
  explicit Segments(Bytes stream) : stream_(stream) {}

  /// Goes to the next segment, which is whole; false at the end, and where none begins.
  bool next() {
    if (marker_ == jpeg::start_of_scan) skip_entropy_coded();
    std::size_t at = end_;
    while (at + 1 < stream_.size() && byte(at) == 0xFF && byte(at + 1) == 0xFF) ++at;  // fill
    if (at + 4 > stream_.size() || byte(at) != 0xFF || byte(at + 1) == jpeg::end_of_image) {
      return false;
    }
    const auto length = std::size_t{big_endian(stream_, at + 2, 2)};
    if (length < 2 || length > stream_.size() - at - 2) return false;
    marker_ = byte(at + 1);
    end_ = at + 2 + length;
    content_ = stream_.subspan(at + 4, length - 2);
    return true;
  }

  std::uint32_t marker() const { return marker_; }
  std::size_t size() const { return content_.size(); }
  /// A number of one byte in the segment; 0 past its end.
  int number(std::size_t at) const {
    return at < content_.size() ? std::to_integer<int>(content_[at]) : 0;
  }

 private:
  std::uint32_t byte(std::size_t at) const { return std::to_integer<std::uint32_t>(stream_[at]); }

  /// To the next marker that is no restart marker.
  void skip_entropy_coded() {
    while (end_ + 1 < stream_.size()) {
      const void* found = std::memchr(&stream_[end_], 0xFF, stream_.size() - 1 - end_);
      if (found == nullptr) break;
      end_ = static_cast<std::size_t>(static_cast<const std::byte*>(found) - stream_.data());
      const auto marker = byte(end_ + 1);
      if (marker != 0 && marker != 0xFF && !jpeg::is_restart(marker)) return;
      end_ += marker == 0xFF ? 1 : 2;
    }
    end_ = stream_.size();
  }

  Bytes stream_;
  std::size_t end_ = 2;
  std::uint32_t marker_ = jpeg::start_of_image;
  Bytes content_;
};

/// How many of its lowest bits each coefficient of a component lacks.
using MissingBits = std::array<int, 64>;
constexpr int all_bits = 255;

/// Takes note of what a scan brings of a component (B.2.3).
void note_scan(const Segments& scan, bool is_progressive, MissingBits& missing) {
  const std::size_t at = 1 + 2 * static_cast<std::size_t>(scan.number(0));
  const int first = is_progressive ? scan.number(at) : 0;
  const int last = is_progressive ? std::min(scan.number(at + 1), 63) : 63;
  const int lacks = is_progressive ? scan.number(at + 2) & 0xF : 0;
  for (int i = first; i <= last; ++i) missing[static_cast<std::size_t>(i)] = lacks;
}

}  // namespace

void check_scans(Bytes frame) {
  std::map<int, MissingBits> components;
  bool is_progressive = false;
  for (Segments segments(frame); segments.next();) {
    const auto count = [&](std::size_t at) {
      return static_cast<std::size_t>(segments.number(at));
    };
    if (jpeg::is_frame_header(segments.marker())) {
      is_progressive = segments.marker() == jpeg::progressive_frame;
      for (std::size_t i = 0; i < count(5); ++i) {
        components[segments.number(6 + 3 * i)].fill(all_bits);
      }
    } else if (segments.marker() == jpeg::start_of_scan) {
      for (std::size_t i = 0; i < count(0); ++i) {
        const auto found = components.find(segments.number(1 + 2 * i));
        if (found != components.end()) note_scan(segments, is_progressive, found->second);
      }
    }
  }
  for (const auto& [id, missing] : components) {
    if (std::any_of(missing.begin(), missing.end(), [](int bits) { return bits != 0; })) {
      throw FieldError("PixelData", "the JPEG stream lacks scans: it ends early");
    }
  }
}

JpegHeader read_jpeg_header(Bytes frame) {
  if (frame.size() < 4 || frame[0] != std::byte{0xFF} ||
      frame[1] != std::byte{jpeg::start_of_image}) {
    throw FieldError("PixelData", "is not a JPEG stream, although the transfer syntax is JPEG");
  }
  for (Segments segments(frame); segments.next() && segments.marker() != jpeg::start_of_scan;) {
    if (!jpeg::is_frame_header(segments.marker()) || segments.size() < 6) continue;
    const auto word = [&](std::size_t at) {
      return segments.number(at) << 8 | segments.number(at + 1);
    };
    return {segments.number(0), word(1), word(3), segments.number(5)};
  }
  throw FieldError("PixelData", "the JPEG stream has no frame header");
}

}  // namespace mpbench::dicom

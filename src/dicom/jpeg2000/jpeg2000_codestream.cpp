#include "jpeg2000_codestream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "../pixel_format.hpp"
#include "mpbench/io/endian.hpp"

namespace mpbench::dicom {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::array<unsigned char, 4> codestream_start{0xFF, 0x4F, 0xFF, 0x51};
constexpr std::array<unsigned char, 6> jp2_start{0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50};
// OpenJPEG keeps several kilobytes a tile from the header on; 128x128 tiles of the largest
// mammogram are 1700.
constexpr std::uint64_t most_tiles = 16384;

template <std::size_t N>
bool begins_with(Bytes bytes, const std::array<unsigned char, N>& start) {
  return bytes.size() >= N &&
         std::equal(start.begin(), start.end(), bytes.begin(), [](unsigned char a, std::byte b) {
           return a == std::to_integer<unsigned char>(b);
         });
}

/// Big-endian fields read in order; past the end is an error, never a read.
class FieldReader {
 public:
  explicit FieldReader(Bytes bytes) : bytes_(bytes) {}
  std::uint64_t next(std::size_t count) {
    if (bytes_.size() < count) refuse_codestream("the JPEG 2000 header is cut off");
    const auto value = big_endian<std::uint64_t>(bytes_, 0, count);
    bytes_ = bytes_.subspan(count);
    return value;
  }

 private:
  Bytes bytes_;
};

/// The codestream in a JP2 file: the content of its jp2c box (ISO/IEC 15444-1 I.4, I.5.4).
Bytes unwrap_jp2(Bytes file) {
  while (file.size() >= 8) {
    FieldReader reader(file);
    std::uint64_t length = reader.next(4);
    const std::uint64_t type = reader.next(4);
    std::size_t header = 8;
    if (length == 1) {
      length = reader.next(8);
      header = 16;
    } else if (length == 0) {
      length = file.size();
    }
    if (length < header) break;
    const std::size_t present =
        static_cast<std::size_t>(std::min<std::uint64_t>(length, file.size()));
    constexpr std::uint64_t jp2c = 0x6A703263;
    if (type == jp2c) return file.subspan(header, present - header);
    file = file.subspan(present);
  }
  refuse_codestream("the JP2 wrapper holds no codestream");
}

void check_tiles(FieldReader& reader, std::uint64_t x0, std::uint64_t y0, std::uint64_t x1,
                 std::uint64_t y1) {
  const std::uint64_t tile_width = reader.next(4);
  const std::uint64_t tile_height = reader.next(4);
  const std::uint64_t tile_x0 = reader.next(4);
  const std::uint64_t tile_y0 = reader.next(4);
  if (tile_width == 0 || tile_height == 0 || tile_x0 > x0 || tile_y0 > y0) {
    refuse_codestream("the codestream's tiles do not cover its image");
  }
  const std::uint64_t across = (x1 - tile_x0 + tile_width - 1) / tile_width;
  const std::uint64_t down = (y1 - tile_y0 + tile_height - 1) / tile_height;
  if (across > most_tiles || down > most_tiles || across * down > most_tiles) {
    refuse_codestream(
        fmt::format("the codestream has {} x {} tiles, over {}", across, down, most_tiles));
  }
}

CodestreamHeader read_siz(Bytes codestream) {
  FieldReader reader(codestream.subspan(codestream_start.size()));
  CodestreamHeader header;
  reader.next(2);  // Lsiz
  reader.next(2);  // Rsiz
  const std::uint64_t x1 = reader.next(4);
  const std::uint64_t y1 = reader.next(4);
  const std::uint64_t x0 = reader.next(4);
  const std::uint64_t y0 = reader.next(4);
  if (x1 <= x0 || y1 <= y0) refuse_codestream("the codestream's image is empty");
  check_tiles(reader, x0, y0, x1, y1);
  header.left = static_cast<std::uint32_t>(x0);
  header.top = static_cast<std::uint32_t>(y0);
  header.width = static_cast<std::uint32_t>(x1 - x0);
  header.height = static_cast<std::uint32_t>(y1 - y0);
  header.components = static_cast<int>(reader.next(2));
  if (header.components < 1 || header.components > 4) {
    refuse_codestream(fmt::format("the codestream has {} components", header.components));
  }
  for (int component = 0; component < header.components; ++component) {
    const auto depth = static_cast<int>(reader.next(1));
    const std::uint64_t dx = reader.next(1);
    const std::uint64_t dy = reader.next(1);
    if (dx != 1 || dy != 1) refuse_codestream("the codestream has a subsampled component");
    const int precision = (depth & 0x7F) + 1;
    const bool is_signed = (depth & 0x80) != 0;
    if (component > 0 && (precision != header.precision || is_signed != header.is_signed)) {
      refuse_codestream("the codestream's components differ in precision or sign");
    }
    header.precision = precision;
    header.is_signed = is_signed;
  }
  return header;
}

}  // namespace

void refuse_codestream(const std::string& problem) { throw FieldError("PixelData", problem); }

bool begins_jpeg2000(Bytes bytes) {
  return begins_with(bytes, codestream_start) || begins_with(bytes, jp2_start);
}

Bytes find_codestream(Bytes frame) {
  const Bytes codestream = begins_with(frame, jp2_start) ? unwrap_jp2(frame) : frame;
  if (!begins_with(codestream, codestream_start)) {
    refuse_codestream("is not a JPEG 2000 codestream, although the transfer syntax is JPEG 2000");
  }
  return codestream;
}

CodestreamHeader read_codestream_header(Bytes frame) {
  CodestreamHeader header = read_siz(find_codestream(frame));
  header.jp2_wrapped = begins_with(frame, jp2_start);
  return header;
}

}  // namespace mpbench::dicom

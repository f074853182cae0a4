#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "image_formats.hpp"
#include "mpbench/io/endian.hpp"

// Where a PNG says which side of its image is up: the chunk eXIf, the text that ImageMagick and
// exiftool write in its place, or XMP.
namespace mpbench::image {
namespace {

// A JPEG holds 64 KiB of EXIF, which are 128 KiB of digits; Orientation is in the first directory.
constexpr std::size_t most_text_bytes = std::size_t{1} << 20;
// A file may have any number of chunks.
constexpr int most_texts = 16;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What a zlib stream holds, up to most_text_bytes, or as far as it is whole.
std::string inflate_start(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  std::string text;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  int result = Z_OK;
  while (result == Z_OK && text.size() < most_text_bytes) {
    constexpr std::size_t step = 1 << 14;
    const auto before = text.size();
    text.resize(before + step);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = step;
    result = inflate(&stream, Z_NO_FLUSH);
    text.resize(before + step - stream.avail_out);
  }
  inflateEnd(&stream);
  return text;
}

/// A chunk of text: tEXt, zTXt or iTXt (PNG 1.2 section 4.2.3).
struct Text {
  std::string_view keyword;
  std::string_view stored;
  bool packed = false;

  std::string value() const {
    return packed ? inflate_start(stored) : std::string(stored.substr(0, most_text_bytes));
  }
};

std::string_view after_zero(std::string_view text) {
  const auto zero = text.find('\0');
  return zero == std::string_view::npos ? std::string_view() : text.substr(zero + 1);
}

std::optional<Text> read_text(std::uint32_t type, std::span<const std::byte> bytes) {
  constexpr std::uint32_t plain_text = 0x74455874;     // "tEXt"
  constexpr std::uint32_t packed = 0x7A545874;         // "zTXt"
  constexpr std::uint32_t international = 0x69545874;  // "iTXt"
  const auto whole = text_of(bytes);
  const auto zero = whole.find('\0');
  if (zero == std::string_view::npos) return std::nullopt;
  Text text{.keyword = whole.substr(0, zero), .stored = whole.substr(zero + 1)};
  if (type == plain_text) return text;
  if (type == packed && !text.stored.empty()) {
    text.packed = true;
    text.stored.remove_prefix(1);  // the method, of which there is one
    return text;
  }
  if (type == international && text.stored.size() >= 2) {
    text.packed = text.stored[0] == '\1';
    text.stored = after_zero(after_zero(text.stored.substr(2)));  // language, translated keyword
    return text;
  }
  return std::nullopt;
}

int digit_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// "\nexif\n    1234\n45786966..." as bytes: a name, a length, and digits in lines.
std::vector<std::byte> raw_profile(std::string_view text) {
  std::size_t at = std::min(text.find_first_not_of('\n'), text.size());
  for (int line = 0; line < 2; ++line) {
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) return {};
    at = end + 1;
  }
  std::vector<std::byte> bytes;
  int high = -1;
  for (const char c : text.substr(at)) {
    if (c == '\n' || c == '\r' || c == ' ') continue;
    const int value = digit_value(c);
    if (value < 0) break;
    if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<std::byte>(high << 4 | value));
      high = -1;
    }
  }
  return bytes;
}

struct Found {
  std::optional<int> chunk;
  std::optional<int> profile;
  std::optional<int> xmp;
  int texts = 0;

  void look_at(std::uint32_t type, std::span<const std::byte> body) {
    constexpr std::uint32_t exif = 0x65584966;  // "eXIf"
    if (type == exif) {
      if (!chunk) chunk = exif_orientation(body);
      return;
    }
    const auto text = read_text(type, body);
    if (!text || texts == most_texts) return;
    if (!profile && (text->keyword == "Raw profile type exif" ||
                     text->keyword == "Raw profile type APP1")) {  // APP1 may be XMP as well
      ++texts;
      profile = exif_orientation(raw_profile(text->value()));
    } else if (!xmp && text->keyword == "XML:com.adobe.xmp") {
      ++texts;
      xmp = xmp_orientation(text->value());
    }
  }
};

}  // namespace

int png_orientation(std::span<const std::byte> png) {
  constexpr std::uint32_t end = 0x49454E44;  // "IEND"
  Found found;
  std::size_t at = 8;
  while (png.size() - at >= 12) {  // before the pixels or after
    const std::size_t length = big_endian(png, at, 4);
    if (length > png.size() - at - 12) break;
    const auto type = big_endian(png, at + 4, 4);
    if (type == end) break;
    found.look_at(type, png.subspan(at + 8, length));
    at += length + 12;
  }
  return found.chunk.value_or(found.profile.value_or(found.xmp.value_or(1)));
}

}  // namespace mpbench::image

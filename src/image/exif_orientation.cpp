#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "image_formats.hpp"
#include "mpbench/io/endian.hpp"

namespace mpbench::image {
namespace {

constexpr int unturned = 1;

/// TIFF 6.0 section 2. EXIF wants Orientation as SHORT; programs have written it as most others.
enum class TiffType : std::uint32_t {
  unsigned_byte = 1,
  unsigned_short = 3,
  unsigned_long = 4,
  unsigned_rational = 5,
  signed_byte = 6,
  signed_short = 8,
  signed_long = 9,
  signed_rational = 10,
  single_float = 11,
  double_float = 12,
  offset = 13
};

std::size_t size_of(TiffType type) {
  switch (type) {
    case TiffType::unsigned_byte:
    case TiffType::signed_byte:
      return 1;
    case TiffType::unsigned_short:
    case TiffType::signed_short:
      return 2;
    case TiffType::unsigned_long:
    case TiffType::signed_long:
    case TiffType::single_float:
    case TiffType::offset:
      return 4;
    case TiffType::unsigned_rational:
    case TiffType::signed_rational:
    case TiffType::double_float:
      return 8;
  }
  return 0;
}

class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> tiff) : tiff_(tiff) {
    if (tiff.size() < header_bytes) return;
    const auto mark = big_endian(tiff, 0, 2);
    intel_ = mark == 0x4949;                                              // "II"
    is_tiff_ = (intel_ || mark == 0x4D4D) && word(2, 2) == tiff_version;  // "MM"
  }

  /// The value of a tag in the first directory; nothing where there is none that is a number.
  std::optional<double> find(std::uint32_t tag) const {
    if (!is_tiff_) return std::nullopt;
    const std::size_t directory = word(4, 4);
    if (directory > tiff_.size() - 2) return std::nullopt;
    const std::size_t entries = word(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t at = directory + 2 + i * entry_bytes;
      if (at + entry_bytes > tiff_.size()) break;
      if (word(at, 2) == tag) return first_value(at);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t header_bytes = 8;
  static constexpr std::size_t entry_bytes = 12;
  static constexpr std::uint32_t tiff_version = 42;

  std::uint32_t word(std::size_t at, std::size_t count) const {
    return intel_ ? little_endian(tiff_, at, count) : big_endian(tiff_, at, count);
  }

  std::optional<double> first_value(std::size_t entry) const {
    const auto type = static_cast<TiffType>(word(entry + 2, 2));
    const std::size_t size = size_of(type);
    const std::size_t count = word(entry + 4, 4);
    if (size == 0 || count == 0) return std::nullopt;
    const bool is_inside = count <= 4 / size;
    const std::size_t at = is_inside ? entry + 8 : word(entry + 8, 4);
    if (size > tiff_.size() || at > tiff_.size() - size) return std::nullopt;
    return number(type, at);
  }

  double number(TiffType type, std::size_t at) const {
    const auto signed_word = [&](std::size_t place, int bytes) {
      const auto shift = 32 - 8 * bytes;
      return static_cast<std::int32_t>(word(place, static_cast<std::size_t>(bytes)) << shift) >>
             shift;
    };
    switch (type) {
      case TiffType::unsigned_byte:
      case TiffType::unsigned_short:
      case TiffType::unsigned_long:
      case TiffType::offset:
        return word(at, size_of(type));
      case TiffType::signed_byte:
      case TiffType::signed_short:
      case TiffType::signed_long:
        return signed_word(at, static_cast<int>(size_of(type)));
      case TiffType::unsigned_rational:
        return static_cast<double>(word(at, 4)) / word(at + 4, 4);
      case TiffType::signed_rational:
        return static_cast<double>(signed_word(at, 4)) / signed_word(at + 4, 4);
      case TiffType::single_float:
        return std::bit_cast<float>(word(at, 4));
      case TiffType::double_float: {
        const std::uint64_t high = word(intel_ ? at + 4 : at, 4);
        const std::uint64_t low = word(intel_ ? at : at + 4, 4);
        return std::bit_cast<double>(high << 32 | low);
      }
    }
    return 0;
  }

  std::span<const std::byte> tiff_;
  bool intel_ = false;
  bool is_tiff_ = false;
};

}  // namespace

std::optional<int> exif_orientation(std::span<const std::byte> exif) {
  constexpr std::uint32_t orientation_tag = 0x0112;
  // What JPEG puts before the TIFF header; some programs put it into PNG as well.
  constexpr std::string_view prefix("Exif\0\0", 6);
  while (exif.size() >= prefix.size() &&
         std::memcmp(exif.data(), prefix.data(), prefix.size()) == 0) {
    exif = exif.subspan(prefix.size());
  }
  const auto value = TiffReader(exif).find(orientation_tag);
  if (!value) return std::nullopt;
  const bool makes_sense = *value >= 1 && *value <= 8 && std::trunc(*value) == *value;
  return makes_sense ? static_cast<int>(*value) : unturned;
}

std::optional<int> xmp_orientation(std::string_view xmp) {
  for (const std::string_view start : {"tiff:Orientation=\"", "tiff:Orientation>"}) {
    const auto found = xmp.find(start);
    if (found == std::string_view::npos || found + start.size() >= xmp.size()) continue;
    const char digit = xmp[found + start.size()];
    if (digit >= '1' && digit <= '8') return digit - '0';
  }
  return std::nullopt;
}

}  // namespace mpbench::image

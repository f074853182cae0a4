#include "byte_words.hpp"
#include "picture_formats.hpp"

namespace mpbench::data {

int exif_orientation(std::span<const std::byte> tiff) {
  constexpr std::uint32_t orientation_tag = 0x0112;
  constexpr std::uint32_t short_type = 3;
  constexpr std::size_t header_bytes = 8;
  constexpr std::size_t entry_bytes = 12;
  constexpr int upright = 1;
  if (tiff.size() < header_bytes) return upright;
  const auto mark = big_endian(tiff, 0, 2);
  if (mark != 0x4949 && mark != 0x4D4D) return upright;  // "II", "MM"
  const auto word = [&](std::size_t at, std::size_t count) {
    return mark == 0x4949 ? little_endian(tiff, at, count) : big_endian(tiff, at, count);
  };
  const std::size_t directory = word(4, 4);
  if (word(2, 2) != 42 || directory > tiff.size() - 2) return upright;
  const std::size_t entries = word(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * entry_bytes;
    if (at + entry_bytes > tiff.size()) break;
    if (word(at, 2) != orientation_tag) continue;
    const auto value = word(at + 8, 2);
    const bool makes_sense = word(at + 2, 2) == short_type && value >= 1 && value <= 8;
    return makes_sense ? static_cast<int>(value) : upright;
  }
  return upright;
}

}  // namespace mpbench::data

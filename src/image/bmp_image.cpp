#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdlib>

#include "image_formats.hpp"
#include "mpbench/io/endian.hpp"

// The layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
namespace mpbench::image {
namespace {

constexpr std::size_t file_header_bytes = 14;
constexpr std::uint32_t os2_header_bytes = 12;
constexpr std::uint32_t windows_header_bytes = 40;

constexpr std::uint32_t plain = 0;            // BI_RGB
constexpr std::uint32_t with_masks = 3;       // BI_BITFIELDS
constexpr std::uint32_t with_alpha_mask = 6;  // BI_ALPHABITFIELDS

using Rgb = std::array<std::uint8_t, 3>;

struct Bitmap {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  bool top_down = false;
  std::uint32_t bits = 0;  // of a pixel
  std::size_t pixels_at = 0;
  std::array<std::uint32_t, 3> masks{};  // of red, green and blue, where bits is 16 or 32
  std::vector<Rgb> palette;              // where bits is 8 or less

  std::size_t row_bytes() const { return (std::size_t{bits} * width + 31) / 32 * 4; }
  bool is_grey() const {
    if (palette.empty()) return false;
    for (const auto& [red, green, blue] : palette) {
      if (red != green || green != blue) return false;
    }
    return true;
  }
};

void read_masks(const EncodedImage& file, Bitmap& bitmap, std::uint32_t compression) {
  if (bitmap.bits != 16 && bitmap.bits != 32) return;
  if (compression == plain) {
    bitmap.masks = bitmap.bits == 16 ? std::array<std::uint32_t, 3>{0x7C00, 0x3E0, 0x1F}
                                     : std::array<std::uint32_t, 3>{0xFF0000, 0xFF00, 0xFF};
    return;
  }
  // Behind a header of 40 bytes, or its next fields: the same place.
  const std::size_t at = file_header_bytes + windows_header_bytes;
  if (file.bytes.size() < at + 12) file.fail("masks", "the file ends before them");
  for (std::size_t i = 0; i < 3; ++i) {
    const auto mask = little_endian(file.bytes, at + 4 * i, 4);
    const auto ones = static_cast<std::uint64_t>(mask) >> (mask == 0 ? 0 : std::countr_zero(mask));
    if (mask == 0 || (ones & (ones + 1)) != 0) {
      file.fail("masks", fmt::format("{:#010x} is not one run of bits", mask));
    }
    bitmap.masks[i] = mask;
  }
}

void read_palette(const EncodedImage& file, Bitmap& bitmap, std::uint32_t header_bytes,
                  std::uint32_t colours_used) {
  if (bitmap.bits > 8) return;
  const std::uint32_t most = 1U << bitmap.bits;
  if (colours_used > most) {
    file.fail("palette", fmt::format("{} colours for {} bits", colours_used, bitmap.bits));
  }
  const std::size_t count = colours_used == 0 ? most : colours_used;
  const std::size_t entry_bytes = header_bytes == os2_header_bytes ? 3 : 4;
  const std::size_t at = file_header_bytes + header_bytes;
  if (file.bytes.size() < at + count * entry_bytes) {
    file.fail("palette", "the file ends in it");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = file.bytes.subspan(at + i * entry_bytes, 3);
    bitmap.palette.push_back({std::to_integer<std::uint8_t>(entry[2]),
                              std::to_integer<std::uint8_t>(entry[1]),
                              std::to_integer<std::uint8_t>(entry[0])});
  }
}

Bitmap read_bitmap(const EncodedImage& file) {
  const auto& bytes = file.bytes;
  if (bytes.size() < file_header_bytes + os2_header_bytes) {
    file.fail("header", "the file ends in it");
  }
  const auto header_bytes = little_endian(bytes, file_header_bytes, 4);
  Bitmap bitmap;
  bitmap.pixels_at = little_endian(bytes, 10, 4);
  std::uint32_t compression = plain;
  std::uint32_t colours_used = 0;
  if (header_bytes == os2_header_bytes) {
    bitmap.width = little_endian(bytes, 18, 2);
    bitmap.height = little_endian(bytes, 20, 2);
    bitmap.bits = little_endian(bytes, 24, 2);
  } else if (header_bytes >= windows_header_bytes) {
    if (bytes.size() - file_header_bytes < header_bytes) file.fail("header", "the file ends in it");
    const auto height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));
    bitmap.width = little_endian(bytes, 18, 4);
    bitmap.top_down = height < 0;
    bitmap.height = static_cast<std::uint32_t>(std::abs(std::int64_t{height}));
    bitmap.bits = little_endian(bytes, 28, 2);
    compression = little_endian(bytes, 30, 4);
    colours_used = little_endian(bytes, 46, 4);
  } else {
    file.fail("header", fmt::format("it claims to have {} bytes", header_bytes));
  }
  require_sides(file, "header", bitmap.height, bitmap.width);
  const bool known_bits = bitmap.bits == 1 || bitmap.bits == 4 || bitmap.bits == 8 ||
                          bitmap.bits == 16 || bitmap.bits == 24 || bitmap.bits == 32;
  if (!known_bits) file.fail("header", fmt::format("{} bits a pixel", bitmap.bits));
  const bool masks = compression == with_masks || compression == with_alpha_mask;
  if (compression != plain && !(masks && (bitmap.bits == 16 || bitmap.bits == 32))) {
    file.fail("compression", fmt::format("type {} with {} bits a pixel cannot be read; a PNG can",
                                         compression, bitmap.bits));
  }
  read_masks(file, bitmap, compression);
  read_palette(file, bitmap, header_bytes, colours_used);
  return bitmap;
}

/// The bits under a mask, stretched to 0..255.
std::uint8_t component(std::uint32_t pixel, std::uint32_t mask) {
  const int shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift;
  const std::uint64_t value = (pixel & mask) >> shift;
  return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
}

Rgb read_pixel(const EncodedImage& file, const Bitmap& bitmap, std::size_t row_at, std::size_t x) {
  if (bitmap.bits == 24) {
    const auto pixel = file.bytes.subspan(row_at + 3 * x, 3);
    return {std::to_integer<std::uint8_t>(pixel[2]), std::to_integer<std::uint8_t>(pixel[1]),
            std::to_integer<std::uint8_t>(pixel[0])};
  }
  if (bitmap.bits > 8) {
    const std::size_t count = bitmap.bits / 8;
    const auto pixel = little_endian(file.bytes, row_at + count * x, count);
    return {component(pixel, bitmap.masks[0]), component(pixel, bitmap.masks[1]),
            component(pixel, bitmap.masks[2])};
  }
  const std::size_t bit = x * bitmap.bits;
  const auto byte = std::to_integer<std::uint32_t>(file.bytes[row_at + bit / 8]);
  const std::size_t place = byte >> (8 - bitmap.bits - bit % 8) & ((1U << bitmap.bits) - 1);
  if (place >= bitmap.palette.size()) {
    file.fail("pixels", fmt::format("colour {} of a palette of {}", place, bitmap.palette.size()));
  }
  return bitmap.palette[place];
}

}  // namespace

bool is_bmp(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && big_endian(bytes, 0, 2) == 0x424D;  // "BM"
}

EncodedHeader read_bmp_header(const EncodedImage& file) {
  const auto bitmap = read_bitmap(file);
  return {.height = static_cast<int>(bitmap.height),
          .width = static_cast<int>(bitmap.width),
          .grey = bitmap.is_grey(),
          .orientation = 1};
}

cv::Mat decode_bmp(const EncodedImage& file) {
  const auto bitmap = read_bitmap(file);
  const std::size_t wanted = bitmap.pixels_at + bitmap.row_bytes() * bitmap.height;
  if (wanted > file.bytes.size()) {
    file.fail("pixels",
              fmt::format("the file is cut off: it has {} bytes of {}", file.bytes.size(), wanted));
  }
  const int channels = bitmap.is_grey() ? 1 : 3;
  cv::Mat pixels(static_cast<int>(bitmap.height), static_cast<int>(bitmap.width), CV_8UC(channels));
  for (int y = 0; y < pixels.rows; ++y) {
    const int row = bitmap.top_down ? y : pixels.rows - 1 - y;
    const std::size_t at = bitmap.pixels_at + static_cast<std::size_t>(row) * bitmap.row_bytes();
    auto* to = pixels.ptr<std::uint8_t>(y);
    for (std::size_t x = 0; x < bitmap.width; ++x) {
      const Rgb pixel = read_pixel(file, bitmap, at, x);
      for (int c = 0; c < channels; ++c) *to++ = pixel[static_cast<std::size_t>(c)];
    }
  }
  return pixels;
}

}  // namespace mpbench::image

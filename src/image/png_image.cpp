#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <cstring>

#include "image_formats.hpp"
#include "mpbench/core/utf8_text.hpp"
#include "mpbench/image/image_file.hpp"
#include "mpbench/io/endian.hpp"

// libpng itself, not through OpenCV, which lets it write its warnings to stderr and cannot tell
// that there were any.
namespace mpbench::image {
namespace {

constexpr std::uint32_t signature_1 = 0x89504E47;
constexpr std::uint32_t signature_2 = 0x0D0A1A0A;
constexpr std::size_t header_bytes = 8 + 8 + 13 + 4;  // signature, IHDR with its CRC
// Deflate's limit is 1032 to 1.
constexpr std::uint64_t max_inflation = 1040;
constexpr png_alloc_size_t max_chunk_bytes = png_alloc_size_t{1} << 23;
constexpr std::size_t most_png_notes = 4;

/// What libpng's callbacks work on.
struct PngReading {
  std::span<const std::byte> rest;
  std::string error;
  std::vector<std::string>* notes;
};

void on_read_error(png_structp png, png_const_charp message) {
  static_cast<PngReading*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void on_read_warning(png_structp png, png_const_charp message) {
  auto& notes = *static_cast<PngReading*>(png_get_error_ptr(png))->notes;
  if (notes.size() < most_png_notes)
    notes.push_back(printable_text(std::string("PNG: ") + message));
}

void on_read(png_structp png, png_bytep to, std::size_t count) {
  auto& rest = static_cast<PngReading*>(png_get_io_ptr(png))->rest;
  if (rest.size() < count) png_error(png, "the file is cut off");
  std::memcpy(to, rest.data(), count);
  rest = rest.subspan(count);
}

struct PngReader {
  explicit PngReader(PngReading& reading)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_read_error,
                                   on_read_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::bad_alloc();
    }
    png_set_read_fn(png, &reading, on_read);
  }
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // libpng leaves these two by longjmp: nothing in them has a destructor.
  bool read_header() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's way
    png_set_user_limits(png, largest_image_side, largest_image_side);
    png_set_chunk_malloc_max(png, max_chunk_bytes);
    // None of the texts is kept: each may be a few bytes that unpack to all of the above.
    png_set_chunk_cache_max(png, 1);
    png_read_info(png, info);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (png_get_bit_depth(png, info) == 16 && std::endian::native == std::endian::little) {
      png_set_swap(png);
    }
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }
  bool read_pixels(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT(cert-err52-cpp)
    png_read_image(png, rows);
    png_read_end(png, nullptr);
    return true;
  }

  png_structp png;
  png_infop info;
};

/// Whether no chunk claims to reach beyond the file: libpng takes memory for some of them before it
/// reads.
bool has_whole_chunks(std::span<const std::byte> bytes) {
  for (std::size_t at = 8; bytes.size() - at >= 12;) {
    const std::size_t length = big_endian(bytes, at, 4);
    if (length > bytes.size() - at - 12) return false;
    if (big_endian(bytes, at + 4, 4) == 0x49454E44) return true;  // "IEND"
    at += length + 12;
  }
  return true;
}

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && big_endian(bytes, 0, 4) == signature_1 &&
         big_endian(bytes, 4, 4) == signature_2;
}

EncodedHeader read_png_header(const EncodedImage& file) {
  const auto& bytes = file.bytes;
  if (bytes.size() < header_bytes) file.fail("IHDR", "the file ends in it");
  if (big_endian(bytes, 8, 4) != 13 || big_endian(bytes, 12, 4) != 0x49484452) {
    file.fail("IHDR", "the file does not begin with it");
  }
  const auto width = big_endian(bytes, 16, 4);
  const auto height = big_endian(bytes, 20, 4);
  require_sides(file, "IHDR", height, width);
  const auto depth = big_endian(bytes, 24, 1);
  const auto colour_type = big_endian(bytes, 25, 1);
  const std::uint64_t samples = colour_type == PNG_COLOR_TYPE_RGB          ? 3
                                : colour_type == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
                                : colour_type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                                           : 1;
  const std::uint64_t row_bytes = (samples * depth * width + 7) / 8;
  if (row_bytes * height / max_inflation > bytes.size()) {
    file.fail("IHDR", fmt::format("it claims {} x {} pixels, which {} bytes cannot hold", width,
                                  height, bytes.size()));
  }
  return {.height = static_cast<int>(height),
          .width = static_cast<int>(width),
          .grey = (colour_type & PNG_COLOR_MASK_COLOR) == 0,
          .orientation = png_orientation(bytes)};
}

cv::Mat decode_png(const EncodedImage& file, std::vector<std::string>& notes) {
  if (!has_whole_chunks(file.bytes)) file.fail("PNG", "the file is cut off");
  PngReading reading{.rest = file.bytes, .error = {}, .notes = &notes};
  PngReader reader(reading);
  if (!reader.read_header()) file.fail("PNG", reading.error);
  if ((png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_ALPHA) != 0) {
    file.fail("PNG", "its alpha channel cannot be dropped");
  }
  const int channels = png_get_channels(reader.png, reader.info);
  const int depth = png_get_bit_depth(reader.png, reader.info) == 16 ? CV_16U : CV_8U;
  cv::Mat pixels(static_cast<int>(png_get_image_height(reader.png, reader.info)),
                 static_cast<int>(png_get_image_width(reader.png, reader.info)),
                 CV_MAKETYPE(depth, channels));
  if (png_get_rowbytes(reader.png, reader.info) != pixels.cols * pixels.elemSize()) {
    file.fail("PNG", "its rows have another length than its header says");
  }
  std::vector<png_bytep> rows;
  for (int y = 0; y < pixels.rows; ++y) rows.push_back(pixels.ptr(y));
  if (!reader.read_pixels(rows.data())) file.fail("PNG", reading.error);
  return pixels;
}

}  // namespace mpbench::image

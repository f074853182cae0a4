#include "mpbench/image/png_writer.hpp"

#include <fmt/format.h>
#include <png.h>

#include <bit>
#include <csetjmp>
#include <utility>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/io/atomic_file.hpp"

// libpng itself: OpenCV's imgcodecs brings a hundred libraries of other formats along, and loading
// them would be a quarter of the program's start.
namespace mpbench::image {
namespace {

struct Writing {
  std::vector<std::byte> bytes;
  std::string error;
};

void on_write_error(png_structp png, png_const_charp message) {
  static_cast<Writing*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void on_write_warning(png_structp /*png*/, png_const_charp /*message*/) {}

void on_write(png_structp png, png_bytep from, std::size_t count) {
  auto& bytes = static_cast<Writing*>(png_get_io_ptr(png))->bytes;
  const auto* begin = reinterpret_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), begin, begin + count);
}

struct PngWriter {
  explicit PngWriter(Writing& writing)
      : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &writing, on_write_error,
                                    on_write_warning)),
        info(png == nullptr ? nullptr : png_create_info_struct(png)) {
    if (info == nullptr) {
      png_destroy_write_struct(&png, nullptr);
      throw std::bad_alloc();
    }
    png_set_write_fn(png, &writing, on_write, nullptr);
  }
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  // libpng leaves this by longjmp: nothing in it has a destructor.
  bool write(const cv::Mat& picture, png_bytepp rows) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT(cert-err52-cpp): libpng's way
    png_set_IHDR(png, info, static_cast<png_uint_32>(picture.cols),
                 static_cast<png_uint_32>(picture.rows), picture.depth() == CV_8U ? 8 : 16,
                 picture.channels() == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    // To look at: written at once, and hardly larger than with more effort.
    png_set_compression_level(png, 1);
    png_write_info(png, info);
    if (picture.depth() == CV_16U && std::endian::native == std::endian::little) png_set_swap(png);
    png_write_image(png, rows);
    png_write_end(png, nullptr);
    return true;
  }

  png_structp png;
  png_infop info;
};

}  // namespace

std::vector<std::byte> encode_png(const cv::Mat& picture) {
  if (picture.empty() || (picture.depth() != CV_8U && picture.depth() != CV_16U) ||
      (picture.channels() != 1 && picture.channels() != 3)) {
    throw Error(
        fmt::format("no PNG can be made of a matrix of type {}", cv::typeToString(picture.type())));
  }
  std::vector<png_bytep> rows;
  for (int row = 0; row < picture.rows; ++row) {
    rows.push_back(const_cast<png_bytep>(picture.ptr(row)));  // only read, in spite of its type
  }
  Writing writing;
  if (!PngWriter(writing).write(picture, rows.data())) throw Error(writing.error);
  return std::move(writing.bytes);
}

void write_png(const std::filesystem::path& path, const cv::Mat& picture) {
  std::vector<std::byte> bytes;
  try {
    bytes = encode_png(picture);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace mpbench::image

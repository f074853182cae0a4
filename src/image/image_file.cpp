#include "mpbench/image/image_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image_formats.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/image/letterbox.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/file_type.hpp"
#include "mpbench/io/mapped_file.hpp"

namespace mpbench::image {
namespace {

namespace fs = std::filesystem;

/// FileBytes, or a MappedFile where the header alone is looked at.
template <typename File>
File open_file(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw InputError(path, "file", error ? error.message() : "it is not a regular file");
  }
  try {
    return File(path);
  } catch (const Error& cause) {
    const std::string message = cause.what();
    const auto prefix = path.string() + ": ";
    throw InputError(path, "file",
                     message.starts_with(prefix) ? message.substr(prefix.size()) : message);
  }
}

EncodedHeader read_header(const EncodedImage& file) {
  if (is_png(file.bytes)) return read_png_header(file);
  if (is_jpeg(file.bytes)) return read_jpeg_header(file);
  if (is_bmp(file.bytes)) return read_bmp_header(file);
  if (file.bytes.empty()) file.fail("file", "it is empty");
  const auto type = file_type(file.bytes);
  file.fail("file", "it begins like none of PNG, JPEG and BMP" +
                        (type == FileType::unknown ? "" : ": it is " + describe(type)));
}

cv::Mat decode(const EncodedImage& file, std::vector<std::string>& notes) {
  if (is_png(file.bytes)) return decode_png(file, notes);
  if (is_jpeg(file.bytes)) return decode_jpeg(file, notes);
  return decode_bmp(file);
}

/// The file's rows and columns are the image's columns and rows.
bool is_transposed(int orientation) { return orientation >= 5; }

/// EXIF 2.32 section 4.6.4: which side of the scene the file's first row and first column are.
cv::Mat upright(const cv::Mat& stored, int orientation) {
  constexpr int vertically = 0;
  constexpr int horizontally = 1;
  constexpr int both = -1;
  cv::Mat picture = stored;
  if (is_transposed(orientation)) {
    cv::Mat transposed;
    cv::transpose(picture, transposed);
    picture = transposed;
  }
  const auto flipped = [&](int how) {
    cv::flip(picture, picture, how);
    return picture;
  };
  switch (orientation) {
    case 2:
    case 6:
      return flipped(horizontally);
    case 3:
    case 7:
      return flipped(both);
    case 4:
    case 8:
      return flipped(vertically);
    default:
      return picture;
  }
}

cv::Mat with_channels(const fs::path& path, const cv::Mat& picture, int channels) {
  if (picture.channels() == channels) return picture;
  if (channels != 3) {
    throw InputError(path, "colour", "this image is in colour, and grey ones are expected");
  }
  cv::Mat coloured;
  cv::cvtColor(picture, coloured, cv::COLOR_GRAY2RGB);
  return coloured;
}

}  // namespace

void EncodedImage::fail(const std::string& field, const std::string& problem) const {
  throw InputError(path, field, problem);
}

void require_sides(const EncodedImage& file, const char* field, std::uint64_t height,
                   std::uint64_t width) {
  if (height < 1 || width < 1 || height > largest_image_side || width > largest_image_side) {
    file.fail(field, fmt::format("{} x {} pixels: a side must have 1 to {}", width, height,
                                 largest_image_side));
  }
}

ImageShape read_image_shape(const fs::path& path) {
  const auto mapped = open_file<MappedFile>(path);
  const auto header = read_header({path, mapped.bytes()});
  const bool transposed = is_transposed(header.orientation);
  return {.height = transposed ? header.width : header.height,
          .width = transposed ? header.height : header.width,
          .channels = header.grey ? 1 : 3};
}

DecodedImage decode_image_file(const fs::path& path) {
  const auto content = open_file<FileBytes>(path);
  const EncodedImage file{path, content.bytes()};
  const auto header = read_header(file);
  DecodedImage picture;
  picture.pixels = decode(file, picture.notes);
  if (picture.pixels.rows != header.height || picture.pixels.cols != header.width) {
    file.fail("header", "the image has another size than its header says");
  }
  if (header.orientation != 1) {
    picture.notes.push_back(
        fmt::format("turned upright from EXIF orientation {}", header.orientation));
    picture.pixels = upright(picture.pixels, header.orientation);
  }
  return picture;
}

PreparedImage prepare_image(const fs::path& path, int height, int width, int channels) {
  auto [pixels, notes] = decode_image_file(path);
  PreparedImage image;
  image.preparation.crop = cv::Rect(0, 0, pixels.cols, pixels.rows);
  image.preparation.notes = std::move(notes);
  pixels = letterbox(pixels, height, width, HorizontalPlace::centre);
  pixels = with_channels(path, pixels, channels);
  pixels.convertTo(image.pixels, CV_32F, 1.0 / (pixels.depth() == CV_16U ? 65535 : 255));
  return image;
}

Thumbnail image_thumbnail(const fs::path& path) {
  constexpr double longest = 480;
  const auto shape = read_image_shape(path);
  const double scale = std::min(1.0, longest / std::max(shape.height, shape.width));
  const auto scaled = [&](int side) { return std::max(1, static_cast<int>(side * scale)); };
  Thumbnail thumbnail;
  thumbnail.full = cv::Size(shape.width, shape.height);
  const auto rgb = prepare_image(path, scaled(shape.height), scaled(shape.width), 3).pixels;
  cv::cvtColor(rgb, thumbnail.pixels, cv::COLOR_RGB2BGR);
  return thumbnail;
}

}  // namespace mpbench::image

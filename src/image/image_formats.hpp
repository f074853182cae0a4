#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// One decoder a format. All throw InputError naming `file.path` and the part of the format.
namespace mpbench::image {

/// An image file in memory.
struct EncodedImage {
  std::filesystem::path path;
  std::span<const std::byte> bytes;

  [[noreturn]] void fail(const std::string& field, const std::string& problem) const;
};

/// What a header says, of the pixels as they are stored.
struct EncodedHeader {
  int height = 0;
  int width = 0;
  bool grey = false;
  int orientation = 1;  ///< EXIF: 1 to 8, 1 is upright
};

/// Throws unless both sides are 1 to largest_image_side.
void require_sides(const EncodedImage& file, const char* field, std::uint64_t height,
                   std::uint64_t width);

bool is_png(std::span<const std::byte> bytes);
EncodedHeader read_png_header(const EncodedImage& file);
/// [height, width] CV_8U or CV_16U, one channel or RGB. What is odd about the file goes to `notes`.
cv::Mat decode_png(const EncodedImage& file, std::vector<std::string>& notes);

bool is_jpeg(std::span<const std::byte> bytes);
EncodedHeader read_jpeg_header(const EncodedImage& file);
/// [height, width] CV_8U, one channel or RGB.
cv::Mat decode_jpeg(const EncodedImage& file, std::vector<std::string>& notes);

bool is_bmp(std::span<const std::byte> bytes);
EncodedHeader read_bmp_header(const EncodedImage& file);
/// [height, width] CV_8U, one channel or RGB.
cv::Mat decode_bmp(const EncodedImage& file);

/// The tag Orientation (0x0112, EXIF 2.32 section 4.6.4) of a TIFF header's first directory, with
/// or without "Exif\0\0" before it, as any type of number. Nothing where there is none; 1 where it
/// makes no sense: a camera's note that is damaged harms no pixel.
std::optional<int> exif_orientation(std::span<const std::byte> exif);

/// tiff:Orientation of an XMP packet (XMP part 2, section 3.5).
std::optional<int> xmp_orientation(std::string_view xmp);

/// A PNG's orientation: of the chunk eXIf, else of a text "Raw profile type exif" or "APP1", else
/// of XMP; 1 without any. Not more than 1 MiB of a text is looked at or unpacked.
int png_orientation(std::span<const std::byte> png);

}  // namespace mpbench::image

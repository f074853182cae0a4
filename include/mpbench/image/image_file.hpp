#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "mpbench/image/prepared_image.hpp"
#include "mpbench/image/thumbnail.hpp"

/// Photographs and drawings: PNG, JPEG (baseline and progressive, 8 bits) and BMP (uncompressed).
/// What a file is, its first bytes say, whatever its name.
namespace mpbench::image {

/// The longest side of an image that is decoded; a header may claim any size.
inline constexpr int largest_image_side = 16384;

/// What an image's header says.
struct ImageShape {
  int height = 0;  ///< in pixels, as the image is to be looked at: after its EXIF orientation
  int width = 0;
  int channels = 3;  ///< 1 where the file has grey levels only, else 3
};

/// Reads the header alone. Throws InputError for a file that is none of the three formats, or whose
/// header is damaged or claims a side over largest_image_side.
ImageShape read_image_shape(const std::filesystem::path& path);

/// A decoded image.
struct DecodedImage {
  cv::Mat pixels;                  ///< CV_8U or CV_16U, one channel or RGB, upright
  std::vector<std::string> notes;  ///< what is odd about the file, and how it was turned
};

/// Decodes a file and turns it as its EXIF orientation says. As PIL's convert("RGB") does, and
/// torchvision with it: alpha is dropped (not blended), a palette gives its colours, CMYK is taken
/// to be inverted as Adobe writes it, colour profiles and gamma are not applied. Unlike it 16-bit
/// PNGs keep their depth.
///
/// Throws InputError for what read_image_shape refuses and for every sign that the file is cut
/// off or damaged, also where decoders commonly go on with a warning. A size that a file this short
/// cannot have is refused before anything is allocated.
DecodedImage decode_image_file(const std::filesystem::path& path);

/// An image of `height` x `width` with 1 or 3 (RGB) channels: decode_image_file's, fitted
/// into the frame with its aspect kept and black on both sides. A grey image becomes RGB where
/// three channels are wanted; a coloured one where one is wanted is an error. Throws as
/// decode_image_file.
PreparedImage prepare_image(const std::filesystem::path& path, int height, int width, int channels);

/// The whole image for a contact sheet, at most 480 pixels along its longer side. Throws as
/// prepare_image.
Thumbnail image_thumbnail(const std::filesystem::path& path);

}  // namespace mpbench::image

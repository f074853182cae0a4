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

/// The longest side of a picture that is decoded; a header may claim any size.
inline constexpr int largest_picture_side = 16384;

/// What a picture's header says.
struct PictureShape {
  int height = 0;  ///< in pixels, as the picture is to be looked at: after its EXIF orientation
  int width = 0;
  int channels = 3;  ///< 1 where the file has grey levels only, else 3
};

/// Reads the header alone. Throws InputError for a file that is none of the three formats, or whose
/// header is damaged or claims a side over largest_picture_side.
PictureShape read_picture_shape(const std::filesystem::path& path);

/// A decoded picture.
struct Picture {
  cv::Mat pixels;                  ///< CV_8U or CV_16U, one channel or RGB, upright
  std::vector<std::string> notes;  ///< what is odd about the file, and how it was turned
};

/// Decodes a file and turns it as its EXIF orientation says. As PIL's convert("RGB") does, and
/// torchvision with it: alpha is dropped (not blended), a palette gives its colours, CMYK is taken
/// to be inverted as Adobe writes it, colour profiles and gamma are not applied. Unlike it 16-bit
/// PNGs keep their depth.
///
/// Throws InputError for what read_picture_shape refuses and for every sign that the file is cut
/// off or damaged, also where decoders commonly go on with a warning. A size that a file this short
/// cannot have is refused before anything is allocated.
Picture read_picture(const std::filesystem::path& path);

/// A picture of `height` x `width` with 1 or 3 (RGB) channels: read_picture's, fitted
/// into the frame with its aspect kept and black on both sides. A grey picture becomes RGB where
/// three channels are wanted; a coloured one where one is wanted is an error. Throws as
/// read_picture.
PreparedImage prepare_picture(const std::filesystem::path& path, int height, int width,
                              int channels);

/// The whole picture for a contact sheet, at most 480 pixels along its longer side. Throws as
/// prepare_picture.
Thumbnail picture_thumbnail(const std::filesystem::path& path);

}  // namespace mpbench::image

#pragma once

#include <filesystem>
#include <string>

#include "mpbench/image/prepared_image.hpp"
#include "mpbench/image/thumbnail.hpp"

namespace mpbench::mammo {

/// A cropped breast is decoded at no less than so many times the size it will have.
inline constexpr int least_oversampling = 2;

/// One mammogram of `height` x `width`, one channel: stored values, display (PS3.3 C.11), the
/// breast's crop, fitted into the frame against its chest wall.
///
/// Unless `exact`, a JPEG 2000 frame is decoded twice at a reduced resolution: small, to find the
/// breast, then the breast alone, at the coarsest resolution that is still least_oversampling times
/// as fine as what is stored. Where averaging before the display transformation is not nearly the
/// same as after it, the frame is decoded in full all the same: without a valid window (the range
/// then depends on every pixel), with lookup tables, with a window below an eighth of the values'
/// range, and with padding that the window would not show black. Throws InputError.
image::PreparedImage prepare_mammogram(const std::filesystem::path& path, int height, int width,
                                       bool exact);

/// What tells one way to prepare a mammogram from another, as a JSON object for a cache's key.
std::string mammogram_preparation(bool exact);

/// A mammogram's whole image, at a reduced resolution where the file allows it: some 300 pixels
/// or more along its longer side. Throws InputError.
image::Thumbnail mammogram_thumbnail(const std::filesystem::path& path);

/// The same of a mammogram that is a PNG, JPEG or BMP: what decode_image_file gives is what is
/// shown, so that there is no window, and the crop and the rest is as above. Three equal channels
/// are grey; others throw InputError. A 16-bit image whose values all lie below 2^14 holds a
/// detector's 8, 10, 12 or 14 bits: it is scaled by as many, which a note says. Throws as
/// decode_image_file.
image::PreparedImage prepare_mammogram_image(const std::filesystem::path& path, int height,
                                             int width);

/// Such an image whole, some 300 pixels or more along its longer side. Throws as decode_image_file.
image::Thumbnail mammogram_image_thumbnail(const std::filesystem::path& path);

}  // namespace mpbench::mammo

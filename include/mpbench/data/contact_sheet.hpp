#pragma once

#include <filesystem>

#include "mpbench/image/thumbnail.hpp"

namespace mpbench::data {

/// Writes a PNG with up to `most` of a cache's images, five a row: on the left the whole image
/// with the crop's frame drawn in it, on the right what the cache holds. Images in which no breast
/// stood out (their frame is red) come first, up to a fifth of all; the rest is spread evenly over
/// the cache. A file that cannot be shown any more leaves its place empty, and the line below says
/// why. Throws InputError for a cache that is none, Error when the PNG cannot be written.
void write_contact_sheet(const std::filesystem::path& png, const std::filesystem::path& cache,
                         const image::MakeThumbnail& make_thumbnail, int most = 50);

}  // namespace mpbench::data

#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace mpbench::data {

/// A file's whole picture for a person to see what was cut away.
struct WholePicture {
  cv::Mat pixels;  ///< CV_32F of one channel, or three (blue first), in [0, 1], at any resolution
  cv::Size full;   ///< the frame's own columns and rows, which crops are given in
};
using ShowWhole = std::function<WholePicture(const std::filesystem::path&)>;

/// Writes a PNG with up to `most` of a cache's images, five a row: on the left the whole picture
/// with the crop's frame drawn in it, on the right what the cache holds. Images in which no breast
/// stood out (their frame is red) come first, up to a fifth of all; the rest is spread evenly over
/// the cache. A file that cannot be shown any more leaves its place empty, and the line below says
/// why. Throws InputError for a cache that is none, Error when the PNG cannot be written.
void write_contact_sheet(const std::filesystem::path& png, const std::filesystem::path& cache,
                         const ShowWhole& show_whole, int most = 50);

}  // namespace mpbench::data

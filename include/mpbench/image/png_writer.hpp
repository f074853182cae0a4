#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

namespace mpbench::image {

/// Writes an image of 8 or 16 bits a channel, grey or in RGB order, as a PNG that appears whole or
/// not at all. Throws Error for other types of matrix, and naming the path where writing fails.
void write_png(const std::filesystem::path& path, const cv::Mat& picture);

}  // namespace mpbench::image

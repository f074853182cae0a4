#pragma once

#include <cstddef>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <vector>

namespace mpbench::image {

/// An image of 8 or 16 bits a channel, grey or in RGB order, as the bytes of a PNG file. Throws
/// Error for other types of matrix.
std::vector<std::byte> encode_png(const cv::Mat& picture);

/// Writes such an image as a PNG that appears whole or not at all. Throws Error, naming the path,
/// for other types of matrix and where writing fails.
void write_png(const std::filesystem::path& path, const cv::Mat& picture);

}  // namespace mpbench::image

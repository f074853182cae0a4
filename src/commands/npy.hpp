#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

namespace mpbench::commands {

/// Writes a matrix as a NumPy array file (format 1.0, C order, little-endian), atomically. The
/// shape is [rows, columns], or [rows, columns, channels] for more than one channel. Throws Error
/// for another element type than 8-bit and 16-bit integers and float, or when the file cannot be
/// written.
void write_npy(const std::filesystem::path& path, const cv::Mat& matrix);

}  // namespace mpbench::commands

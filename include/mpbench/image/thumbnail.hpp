#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace mpbench::image {

/// A file's whole image, small, for a person to see what was cut away.
struct Thumbnail {
  cv::Mat pixels;  ///< CV_32F of one channel, or three (blue first), in [0, 1], at any resolution
  cv::Size full;   ///< the frame's own columns and rows, which crops are given in
};
using MakeThumbnail = std::function<Thumbnail(const std::filesystem::path&)>;

}  // namespace mpbench::image

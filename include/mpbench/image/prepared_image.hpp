#pragma once

#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

namespace mpbench::image {

/// How a file became an image of the cache, kept beside it.
struct Preparation {
  /// Which VOI transformation was used ("window 1 of 2: 2047/4096 SIGMOID"); empty where there is
  /// none (PNG, JPEG).
  std::string window;
  cv::Rect crop;                   ///< what was kept, in pixels of the file's full frame
  bool breast_found = false;       ///< false: the crop is the whole frame
  int reduction = 0;               ///< halvings while decoding: 2 is a quarter of rows and columns
  std::vector<std::string> notes;  ///< what is odd about the file, one line each
};

/// An image ready to be stored.
struct PreparedImage {
  cv::Mat pixels;  ///< [height, width] of the cache, CV_32F of its channels (RGB), in [0, 1]
  Preparation preparation;
};

/// Makes an image from a file; called from many threads at once. Throws InputError for a file that
/// is damaged, or not what it says.
using PrepareImage = std::function<PreparedImage(const std::filesystem::path&)>;

}  // namespace mpbench::image

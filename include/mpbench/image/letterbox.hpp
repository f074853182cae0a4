#pragma once

#include <opencv2/core.hpp>

namespace mpbench::image {

/// Where the image goes in a wider frame; the padding goes on the other side.
enum class HorizontalPlace { left, centre, right };

/// Resizes to the largest size that fits height x width with the aspect kept, and pads with 0:
/// above and below in equal parts, left and right as `place` asks. Shrinks by averaging areas
/// (INTER_AREA, no aliasing), enlarges linearly. Returns height x width of the input's type.
cv::Mat letterbox(const cv::Mat& image, int height, int width, HorizontalPlace place);

}  // namespace mpbench::image

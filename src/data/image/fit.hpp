#pragma once

#include <opencv2/core.hpp>

namespace mpbench::data {

/// Where the image goes in a wider frame; the padding goes on the other side.
enum class HorizontalPlace { left, centre, right };

/// Resizes to the largest size that fits height x width with the aspect kept, and pads with 0:
/// above and below in equal parts, left and right as `place` asks. Shrinks by averaging areas
/// (INTER_AREA, no aliasing), enlarges linearly. Returns height x width of the input's type.
cv::Mat fit(const cv::Mat& image, int height, int width, HorizontalPlace place);

/// The side of a breast's crop where the chest wall is: the brighter of its two outer eighths, as
/// the breast is cut off there and tapers off to the other side. The breast is put against that
/// side of the frame, as it is in the exposure.
HorizontalPlace chest_wall_side(const cv::Mat& crop);

}  // namespace mpbench::data

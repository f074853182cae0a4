#pragma once

#include "mpbench/image/letterbox.hpp"

namespace mpbench::mammo {

/// The side of a breast's crop where the chest wall is: the brighter of its two outer eighths, as
/// the breast is cut off there and tapers off to the other side. The breast is put against that
/// side of the frame, as it is in the exposure.
image::HorizontalPlace chest_wall_side(const cv::Mat& crop);

}  // namespace mpbench::mammo

#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

namespace mpbench::synth {

/// Adds structures to a CV_32F image. Lengths are shares of the image's height; what lies
/// outside is cut off.
class Canvas {
 public:
  explicit Canvas(cv::Mat& picture) : picture_(picture) {}

  /// A smooth disc or ellipse: full contrast inside `1 - softness` of its radius, none beyond it.
  void add_blob(cv::Point2d centre, double radius, double elongation, double angle, double softness,
                double contrast);
  /// A bent line (a quadratic Bezier curve) whose width changes along it.
  void add_stroke(cv::Point2d from, cv::Point2d bend, cv::Point2d to, double width_from,
                  double width_to, double contrast);
  /// Capital letters of a marker, `size` high; only those of the views' names.
  void stamp_text(cv::Point2d top_left, double size, std::string_view text, float value);

 private:
  cv::Mat& picture_;
};

}  // namespace mpbench::synth

#pragma once

#include <opencv2/core/types.hpp>

#include "phantom.hpp"
#include "random_stream.hpp"

namespace mpbench::synth {

/// The outline of a compressed breast whose chest wall is the line x = 0. Lengths are shares of the
/// image's height, y points down.
struct BreastShape {
  double depth = 0.5;     ///< from the chest wall to the nipple
  double top = 0.4;       ///< half axis above the nipple line
  double bottom = 0.4;    ///< half axis below it
  double nipple_y = 0.5;  ///< height of the nipple line
  /// The pectoral muscle's corners: (pectoral_x, 0) and (0, pectoral_y); none when pectoral_x is 0.
  double pectoral_x = 0;
  double pectoral_y = 0;

  /// A point at a share of the depth and of the half axis above (negative) or below (positive) the
  /// nipple line.
  cv::Point2d at(double along, double across) const {
    return {along * depth, nipple_y + across * (across < 0 ? top : bottom)};
  }
  /// A typical radius, by which findings scale.
  double radius() const;
  /// About how far a point lies within the skin; negative outside. `stretch` moves the skin by a
  /// few per cent.
  double distance_to_skin(double x, double y, double stretch) const;
  /// About how far a point lies within the pectoral muscle; negative outside.
  double distance_to_pectoral_edge(double x, double y) const;
};

/// A shape for the view, no wider than the image (`aspect` is width by height).
BreastShape draw_breast_shape(const PhantomSpec& spec, double aspect, RandomStream& random);

}  // namespace mpbench::synth

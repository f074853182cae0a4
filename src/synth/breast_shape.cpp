#include "breast_shape.hpp"

#include <algorithm>
#include <cmath>

namespace mpbench::synth {

double BreastShape::radius() const { return std::sqrt(depth * (top + bottom) / 2); }

double BreastShape::distance_to_skin(double x, double y, double stretch) const {
  const double half = y < nipple_y ? top : bottom;
  const double u = x / depth;
  const double v = (y - nipple_y) / half;
  // Fourth powers flatten the ellipse into the D of a breast pressed between two plates.
  const double f = (u * u * (0.85 + 0.15 * u * u) + v * v * (0.7 + 0.3 * v * v)) * (1 + stretch);
  // The implicit function over its gradient is the distance near the outline, which is where it
  // matters.
  const double slope = 2 * std::sqrt(u * u / (depth * depth) + v * v / (half * half)) + 1e-3;
  return (1 - f) / slope;
}

double BreastShape::distance_to_pectoral_edge(double x, double y) const {
  if (pectoral_x <= 0) return -1;
  const double u = x / pectoral_x;
  const double v = y / pectoral_y;
  // A slight bow towards the nipple.
  const double f = 1 - u - v + 0.35 * u * std::max(v, 0.0);
  return f * pectoral_x * pectoral_y / std::sqrt(pectoral_x * pectoral_x + pectoral_y * pectoral_y);
}

BreastShape draw_breast_shape(const PhantomSpec& spec, double aspect, RandomStream& random) {
  BreastShape shape;
  const double size = std::clamp(spec.breast_size + random.between(-0.06, 0.06), 0.0, 1.0);
  const bool oblique = spec.view != View::cc;
  if (!oblique) {
    shape.depth = aspect * (0.42 + 0.46 * size);
    shape.top = 0.25 + 0.19 * size + random.between(-0.02, 0.02);
    shape.bottom = shape.top * random.between(0.88, 1.12);
    shape.nipple_y = 0.5 + random.between(-0.05, 0.05);
    shape.bottom = std::min(shape.bottom, 0.97 - shape.nipple_y);
    shape.top = std::min(shape.top, shape.nipple_y - 0.03);
    return shape;
  }
  shape.depth = aspect * (0.46 + 0.44 * size);
  shape.nipple_y = 0.55 + 0.06 * size + random.between(-0.04, 0.04);
  shape.top = shape.nipple_y * random.between(1.08, 1.5);
  shape.bottom = std::min(0.22 + 0.15 * size + random.between(-0.02, 0.02), 0.98 - shape.nipple_y);
  const bool lateral = spec.view == View::ml || spec.view == View::lm;
  const double edge_at_top =
      shape.depth * std::sqrt(1 - (shape.nipple_y / shape.top) * (shape.nipple_y / shape.top));
  shape.pectoral_x = edge_at_top * (lateral ? random.between(0.3, 0.5) : random.between(0.5, 0.9));
  shape.pectoral_y = shape.nipple_y * random.between(0.65, 1.1);
  return shape;
}

}  // namespace mpbench::synth

#include "phantom_structures.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mpbench::synth {
namespace {

constexpr double full_turn = 2 * std::numbers::pi;

// How plain a finding is, between hard to see and plain. With these a CNN of three small layers at
// 124 x 124 learns slowly from 650 images: a loss of accuracy would show, and so does learning.
constexpr double mass_contrast_low = 0.09;
constexpr double mass_contrast_high = 0.24;
constexpr double speck_contrast_low = 0.16;
constexpr double speck_contrast_high = 0.42;

cv::Point2d polar(double angle, double length) {
  return {length * std::cos(angle), length * std::sin(angle)};
}

/// A place within the skin, clear of it by about a tenth of the breast.
cv::Point2d place(const BreastShape& shape, double depth, RandomStream& random) {
  const double room = std::sqrt(std::max(0.0, 0.8 * 0.8 - depth * depth));
  // The part above an oblique view's gland is muscle and armpit.
  const double highest = shape.pectoral_x > 0 ? 0.55 : 1.0;
  return shape.at(depth, random.between(-std::min(room, highest), room) * 0.9);
}

void draw_spiculated_mass(Canvas& canvas, cv::Point2d centre, double radius, RandomStream& random) {
  const double contrast = random.between(mass_contrast_low, mass_contrast_high);
  canvas.add_blob(centre, radius, random.between(1.0, 1.25), random.between(0, full_turn), 0.8,
                  contrast * 0.7);
  const int lobes = 4 + random.index(4);
  for (int i = 0; i < lobes; ++i) {
    const cv::Point2d offset =
        polar(random.between(0, full_turn), radius * random.between(0.25, 0.7));
    canvas.add_blob(centre + offset, radius * random.between(0.35, 0.6), random.between(1, 1.5),
                    random.between(0, full_turn), 0.7, contrast * 0.35);
  }
  const int spicules = 10 + random.index(10);
  const double first = random.between(0, full_turn);
  for (int i = 0; i < spicules; ++i) {
    const double angle = first + full_turn * (i + random.between(-0.3, 0.3)) / spicules;
    const double length = radius * random.between(1.1, 3.2);
    const cv::Point2d end = centre + polar(angle, length);
    const cv::Point2d bend = centre + polar(angle + random.between(-0.25, 0.25), length * 0.55);
    canvas.add_stroke(centre + polar(angle, radius * 0.4), bend, end, radius * 0.14, radius * 0.04,
                      contrast * random.between(0.4, 0.9));
  }
}

void draw_cluster(Canvas& canvas, cv::Point2d centre, double radius, RandomStream& random) {
  const int specks = 14 + random.index(17);
  const double contrast = random.between(speck_contrast_low, speck_contrast_high);
  for (int i = 0; i < specks; ++i) {
    // Denser towards the middle, as clusters are.
    const double distance = radius * random.uniform();
    canvas.add_blob(centre + polar(random.between(0, full_turn), distance),
                    radius * random.between(0.06, 0.13), random.between(1, 2.2),
                    random.between(0, full_turn), 0.6, contrast * random.between(0.6, 1.1));
  }
}

}  // namespace

void draw_vessels(Canvas& canvas, const BreastShape& shape, RandomStream& random) {
  // Ducts fan out from behind the nipple.
  const int ducts = 8 + random.index(12);
  for (int i = 0; i < ducts; ++i) {
    const cv::Point2d start = shape.at(random.between(0.85, 0.95), random.between(-0.06, 0.06));
    const double across = random.between(-0.75, 0.75);
    const cv::Point2d end = shape.at(random.between(0.1, 0.7), across);
    const cv::Point2d bend = shape.at(
        random.between(0.5, 0.75), across * random.between(0.1, 1.2) + random.between(-0.1, 0.1));
    canvas.add_stroke(start, bend, end, random.between(0.0025, 0.006), 0.001,
                      random.between(0.01, 0.045));
  }
  // Ligaments: short arcs anywhere, most of them under the skin.
  const int ligaments = 30 + random.index(30);
  for (int i = 0; i < ligaments; ++i) {
    const double angle = random.between(-full_turn / 4, full_turn / 4);
    const double out = std::sqrt(random.between(0.05, 0.9));
    const cv::Point2d start = shape.at(out * std::cos(angle), out * std::sin(angle));
    const double length = shape.radius() * random.between(0.1, 0.4);
    const double heading = random.between(0, full_turn);
    const cv::Point2d bend = start + polar(heading, length / 2);
    const cv::Point2d end = bend + polar(heading + random.between(-0.8, 0.8), length / 2);
    canvas.add_stroke(start, bend, end, random.between(0.0015, 0.004), 0.001,
                      random.between(0.02, 0.07));
  }
  // Veins and arteries: long and wide, from the chest wall.
  const int veins = 2 + random.index(4);
  for (int i = 0; i < veins; ++i) {
    const double across = random.between(-0.8, 0.8);
    canvas.add_stroke(shape.at(0, across),
                      shape.at(random.between(0.3, 0.6), across + random.between(-0.3, 0.3)),
                      shape.at(random.between(0.5, 0.85), across * random.between(0.2, 0.6)),
                      random.between(0.005, 0.010), 0.003, random.between(0.04, 0.09));
  }
}

void draw_implant(Canvas& canvas, const BreastShape& shape, RandomStream& random) {
  const double radius = std::min(shape.depth * 0.55, (shape.top + shape.bottom) * 0.3);
  canvas.add_blob(shape.at(random.between(0.12, 0.2), random.between(-0.1, 0.1)), radius,
                  random.between(1.05, 1.3), full_turn / 4 + random.between(-0.15, 0.15), 0.06,
                  random.between(0.3, 0.4));
}

void draw_benign_mass(Canvas& canvas, const BreastShape& shape, RandomStream& random) {
  const double radius = shape.radius() * random.between(0.07, 0.14);
  canvas.add_blob(place(shape, random.between(0.15, 0.75), random), radius,
                  random.between(1.0, 1.4), random.between(0, full_turn), 0.35,
                  random.between(mass_contrast_low, mass_contrast_high));
}

void draw_benign_calcifications(Canvas& canvas, const BreastShape& shape, RandomStream& random) {
  const int count = random.chance(0.5) ? 0 : 1 + random.index(6);
  for (int i = 0; i < count; ++i) {
    canvas.add_blob(place(shape, random.between(0.1, 0.78), random),
                    shape.radius() * random.between(0.008, 0.02), 1, 0, 0.5,
                    random.between(0.2, 0.45));
  }
}

void draw_finding(Canvas& canvas, const BreastShape& shape, Finding finding, double depth,
                  RandomStream& random) {
  if (finding == Finding::none) return;
  const cv::Point2d centre = place(shape, depth, random);
  if (finding == Finding::spiculated_mass) {
    draw_spiculated_mass(canvas, centre, shape.radius() * random.between(0.07, 0.12), random);
  } else {
    draw_cluster(canvas, centre, shape.radius() * random.between(0.10, 0.2), random);
  }
}

}  // namespace mpbench::synth

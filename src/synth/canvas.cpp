#include "canvas.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace mpbench::synth {
namespace {

/// The pixels within `reach` of a point, cut to the image.
cv::Rect window(const cv::Mat& picture, double x, double y, double reach) {
  const auto low = [](double v) { return static_cast<int>(std::floor(v)); };
  const cv::Rect wanted(low(x - reach), low(y - reach), low(2 * reach) + 3, low(2 * reach) + 3);
  return wanted & cv::Rect(0, 0, picture.cols, picture.rows);
}

struct Glyph {
  char letter;
  std::array<std::uint8_t, 7> rows;  ///< five pixels a row, the leftmost in bit 4
};
constexpr std::array<Glyph, 7> glyphs{{
    {'A', {0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001}},
    {'C', {0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110}},
    {'L', {0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111}},
    {'M', {0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001}},
    {'O', {0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110}},
    {'R', {0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001}},
    {'T', {0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100}},
}};

}  // namespace

void Canvas::add_blob(cv::Point2d centre, double radius, double elongation, double angle,
                      double softness, double contrast) {
  const double scale = picture_.rows;
  const double cx = centre.x * scale, cy = centre.y * scale, r = radius * scale;
  if (r <= 0) return;
  const double c = std::cos(angle), s = std::sin(angle);
  const double flat = 1 - softness;
  const cv::Rect box = window(picture_, cx, cy, r * std::max(elongation, 1.0) + 1);
  for (int y = box.y; y < box.y + box.height; ++y) {
    float* row = picture_.ptr<float>(y);
    for (int x = box.x; x < box.x + box.width; ++x) {
      const double dx = x - cx, dy = y - cy;
      const double u = (c * dx + s * dy) / (r * elongation), v = (c * dy - s * dx) / r;
      const double q = std::sqrt(u * u + v * v);
      if (q >= 1) continue;
      const double t = q <= flat ? 1.0 : (1 - q) / softness;
      row[x] += static_cast<float>(contrast * t * t * (3 - 2 * t));
    }
  }
}

void Canvas::add_stroke(cv::Point2d from, cv::Point2d bend, cv::Point2d to, double width_from,
                        double width_to, double contrast) {
  const double scale = picture_.rows;
  const double length = (cv::norm(bend - from) + cv::norm(to - bend)) * scale;
  // Below half a pixel a line is as wide as a pixel, and fainter.
  const double thinnest = 0.6;
  const double step = std::max(std::min(width_from, width_to) * scale, thinnest) / 3;
  const int steps = std::clamp(static_cast<int>(length / step), 1, 20000);
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps, u = 1 - t;
    const cv::Point2d p = (from * (u * u) + bend * (2 * u * t) + to * (t * t)) * scale;
    const double wanted = (width_from + (width_to - width_from) * t) * scale;
    const double half = std::max(wanted, thinnest);
    // Discs (1 - q^2)^2 at this spacing add up to a ridge of 16/15 half widths over the step.
    const double dose =
        contrast * std::min(1.0, wanted / thinnest) * (length / steps) / half * (15.0 / 16);
    const cv::Rect box = window(picture_, p.x, p.y, half);
    for (int y = box.y; y < box.y + box.height; ++y) {
      float* row = picture_.ptr<float>(y);
      for (int x = box.x; x < box.x + box.width; ++x) {
        const double q = ((x - p.x) * (x - p.x) + (y - p.y) * (y - p.y)) / (half * half);
        if (q < 1) row[x] += static_cast<float>(dose * (1 - q) * (1 - q));
      }
    }
  }
}

void Canvas::stamp_text(cv::Point2d top_left, double size, std::string_view text, float value) {
  const double pixel = size * picture_.rows / 7;
  double left = top_left.x * picture_.rows;
  const double top = top_left.y * picture_.rows;
  for (char letter : text) {
    const auto* glyph = std::find_if(glyphs.begin(), glyphs.end(),
                                     [&](const Glyph& g) { return g.letter == letter; });
    if (glyph != glyphs.end()) {
      for (int j = 0; j < 7; ++j) {
        for (int i = 0; i < 5; ++i) {
          if ((glyph->rows[static_cast<std::size_t>(j)] >> (4 - i) & 1) == 0) continue;
          const auto edge = [&](double start, int k) {
            return static_cast<int>(start + k * pixel);
          };
          const cv::Rect cell(cv::Point(edge(left, i), edge(top, j)),
                              cv::Point(edge(left, i + 1), edge(top, j + 1)));
          picture_(cell & cv::Rect(0, 0, picture_.cols, picture_.rows)).setTo(value);
        }
      }
    }
    left += 6 * pixel;
  }
}

}  // namespace mpbench::synth

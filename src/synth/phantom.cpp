#include "phantom.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "breast_shape.hpp"
#include "canvas.hpp"
#include "mpbench/core/error.hpp"
#include "phantom_structures.hpp"
#include "random_stream.hpp"
#include "value_noise.hpp"

namespace mpbench::synth {
namespace {

/// Streams of one image: what is drawn in one does not move what is drawn in another.
enum Part : std::uint64_t {
  shape_part,
  structure_part,
  finding_part,
  wobble_part,
  gland_part,
  fat_part,
  bundle_part,
  muscle_part,
  grain_part
};

float smooth_step(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0F, 1.0F);
  return t * t * (3 - 2 * t);
}

/// Nearly normal noise of deviation 1 from the place alone: the sum of four 16-bit numbers.
float grain(std::uint64_t seed, std::uint64_t place) {
  const std::uint64_t bits = split_mix_at(seed, place);
  const auto sum = static_cast<std::int64_t>((bits & 0xffff) + (bits >> 16 & 0xffff) +
                                             (bits >> 32 & 0xffff) + (bits >> 48)) -
                   2 * 0xffff;
  return static_cast<float>(sum) * (1.0F / 37837.2F);  // sqrt(4/12) * 65536
}

/// How much gland there is: the level that the gland's noise must pass, and its brightness.
struct Composition {
  float threshold;
  float brightness;
};
constexpr std::array<Composition, 4> compositions{
    {{1.4F, 0.14F}, {0.6F, 0.20F}, {-0.2F, 0.25F}, {-1.0F, 0.29F}}};

/// Turns the structures already in `image` into the whole image, chest wall to the left.
void compose(cv::Mat& picture, const BreastShape& shape, const PhantomSpec& spec) {
  const int height = picture.rows, width = picture.cols;
  const auto unit = static_cast<double>(height);
  const auto seed_of = [&](Part part) { return derive_seed(spec.seed, part); };
  FractalNoise wobble(seed_of(wobble_part), 0.3 * unit, 2, 0.5, height, width);
  FractalNoise gland_field(seed_of(gland_part), 0.16 * unit * (0.7 + 0.6 * shape.radius()), 5, 0.62,
                           height, width);
  FractalNoise fat_field(seed_of(fat_part), 0.07 * unit, 5, 0.72, height, width);
  FractalNoise bundle_field(seed_of(bundle_part), 0.05 * unit, 3, 0.6, height, width);
  RandomStream random(seed_of(muscle_part));
  const auto muscle_brightness = static_cast<float>(random.between(0.44, 0.6));
  const std::uint64_t grain_seed = seed_of(grain_part);
  const Composition composition = compositions[static_cast<std::size_t>(spec.density)];
  const auto columns = static_cast<std::size_t>(width);
  std::vector<float> bend(columns), gland(columns), fat(columns), bundle(columns);
  for (int y = 0; y < height; ++y) {
    wobble.row(y, bend);
    gland_field.row(y, gland);
    fat_field.row(y, fat);
    bundle_field.row(y, bundle);
    float* row = picture.ptr<float>(y);
    const double fy = (y + 0.5) / unit;
    for (int x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(x);
      const double fx = (x + 0.5) / unit;
      const auto inside =
          static_cast<float>(shape.distance_to_skin(fx, fy, 0.035 * static_cast<double>(bend[i])));
      const float noise = grain(grain_seed, static_cast<std::uint64_t>(y) * columns + i);
      // Scattered rays brighten the air near the skin.
      const float air = 0.018F + 0.02F / (1 + 60 * std::max(-inside, 0.0F));
      const float skin_edge = smooth_step(-0.003F, 0.003F, inside);
      if (skin_edge <= 0) {
        row[x] = air + 0.004F * noise;
        continue;
      }
      // Gland lies behind the nipple and thins out towards the skin.
      const double u = fx / shape.depth - 0.5;
      const double v = (fy - shape.nipple_y) / (shape.top + shape.bottom);
      const auto central = static_cast<float>(1.0 - 3.0 * (u * u + 1.8 * v * v));
      const float level = gland[i] + 1.1F * central - 0.6F - composition.threshold;
      const float share = smooth_step(-0.9F, 1.1F, level) * smooth_step(0.012F, 0.07F, inside);
      const float rim = 1 - smooth_step(0.0F, 0.11F, inside);
      const float thickness = 1 - 0.62F * rim * rim;
      const float fibres = 1 - std::fabs(bundle[i]);  // the folds of smooth noise look like strands
      float value = 0.30F + 0.024F * fat[i] +
                    share * (composition.brightness * (0.8F + 0.3F * fibres) + 0.03F * gland[i] +
                             0.02F * fat[i]);
      value = thickness * (value + row[x]);
      const float at_skin = (inside - 0.006F) / 0.004F;
      value += 0.045F / (1 + at_skin * at_skin * at_skin * at_skin);
      const auto within_muscle = static_cast<float>(shape.distance_to_pectoral_edge(fx, fy));
      const float muscle_value = muscle_brightness + 0.2F * within_muscle + 0.02F * fat[i] +
                                 0.03F * fibres + 0.6F * row[x];
      value +=
          smooth_step(-0.008F, 0.02F, within_muscle + 0.004F * bend[i]) * (muscle_value - value);
      // Film and detector alike have a shoulder.
      if (value > 0.8F) value = 0.8F + (value - 0.8F) / (1 + 2 * (value - 0.8F));
      // Fewer quanta arrive behind bright tissue, but display processing evens most of that out.
      value += 0.009F * noise;
      row[x] = air + (value - air) * skin_edge;
    }
  }
}

void stamp_marker(cv::Mat& picture, const PhantomSpec& spec, RandomStream& random) {
  const std::string text = fmt::format("{} {}", to_string(spec.laterality), to_string(spec.view));
  const double size = random.between(0.022, 0.032);
  const double aspect = static_cast<double>(picture.cols) / picture.rows;
  const double length = size / 7 * 6 * static_cast<double>(text.size());
  const double margin = random.between(0.015, 0.04);
  const double left = spec.laterality == Laterality::left ? aspect - length - margin : margin;
  // Beside the armpit, where the breast is narrow.
  Canvas(picture).stamp_text({left, margin}, size, text, 0.98F);
}

}  // namespace

std::string_view to_string(Laterality laterality) {
  return laterality == Laterality::left ? "L" : "R";
}

std::string_view to_string(View view) {
  constexpr std::array<std::string_view, 6> names{"CC", "MLO", "ML", "LM", "LMO", "AT"};
  return names[static_cast<std::size_t>(view)];
}

cv::Mat draw_phantom(const PhantomSpec& spec) {
  if (std::min(spec.height, spec.width) < 16 || std::max(spec.height, spec.width) > 16384)
    throw Error(fmt::format("a phantom of {} x {} pixels: sides must be 16 to 16384", spec.height,
                            spec.width));
  if (spec.density < 0 || spec.density > 3)
    throw Error(fmt::format("phantom density {}: must be 0 (A) to 3 (D)", spec.density));
  RandomStream shape_random(derive_seed(spec.seed, shape_part));
  RandomStream random(derive_seed(spec.seed, structure_part));
  RandomStream finding_random(derive_seed(spec.seed, finding_part));
  const BreastShape shape =
      draw_breast_shape(spec, static_cast<double>(spec.width) / spec.height, shape_random);

  cv::Mat picture(spec.height, spec.width, CV_32F, cv::Scalar(0));
  Canvas canvas(picture);
  draw_vessels(canvas, shape, random);
  draw_benign_calcifications(canvas, shape, random);
  if (spec.implant) draw_implant(canvas, shape, random);
  if (spec.benign_mass) draw_benign_mass(canvas, shape, random);
  draw_finding(canvas, shape, spec.finding, spec.finding_depth, finding_random);
  compose(picture, shape, spec);
  if (spec.laterality == Laterality::right) cv::flip(picture, picture, 1);
  if (spec.marker) stamp_marker(picture, spec, random);
  return picture;
}

cv::Mat to_stored_values(const cv::Mat& luminance, const Detector& detector) {
  if (luminance.type() != CV_32F) throw Error("to_stored_values needs a CV_32F image");
  if (detector.bits_stored < 1 || detector.bits_stored > 16)
    throw Error(fmt::format("{} bits stored: must be 1 to 16", detector.bits_stored));
  const auto largest = static_cast<float>((1 << detector.bits_stored) - 1);
  const auto black = static_cast<float>(detector.black) * largest;
  const float range = static_cast<float>(detector.white) * largest - black;
  cv::Mat stored(luminance.size(), CV_16U);
  for (int y = 0; y < luminance.rows; ++y) {
    const float* from = luminance.ptr<float>(y);
    auto* to = stored.ptr<std::uint16_t>(y);
    for (int x = 0; x < luminance.cols; ++x) {
      const float value = std::clamp(std::floor(black + range * from[x] + 0.5F), 0.0F, largest);
      to[x] = static_cast<std::uint16_t>(detector.inverted ? largest - value : value);
    }
  }
  return stored;
}

}  // namespace mpbench::synth

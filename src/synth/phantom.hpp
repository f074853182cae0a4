#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string_view>

/// Drawn mammograms: a stand-in with RSNA's difficulties for people who do not have RSNA's 300 GB.
namespace mpbench::synth {

enum class Laterality { left, right };

/// The projections that RSNA's train.csv names.
enum class View { cc, mlo, ml, lm, lmo, at };

/// What makes a breast positive.
enum class Finding { none, spiculated_mass, calcifications };

/// "L" or "R".
std::string_view to_string(Laterality laterality);
/// "CC", "MLO", "ML", "LM", "LMO" or "AT".
std::string_view to_string(View view);

/// One image to draw. Lengths are shares of the image's height.
struct PhantomSpec {
  int height = 512;
  int width = 416;
  Laterality laterality = Laterality::left;
  View view = View::cc;
  /// How much of the breast is gland: 0 is BI-RADS density A (fat), 3 is D (extremely dense).
  int density = 1;
  /// 0 is the smallest breast, 1 the largest.
  double breast_size = 0.5;
  bool implant = false;
  /// A smooth round mass, which has no part in the label.
  bool benign_mass = false;
  /// A laterality and view marker burned into the background.
  bool marker = false;
  Finding finding = Finding::none;
  /// Where the finding lies between chest wall (0) and nipple (1); the views of a breast share it.
  double finding_depth = 0.5;
  /// Decides everything else.
  std::uint64_t seed = 0;
};

/// Draws what the radiologist sees: `[height, width]` CV_32F luminance, about 0.02 in the
/// background, 0.2 to 0.9 in the breast, below 1.3 everywhere. The chest wall is the left edge for
/// a left breast, the right edge for a right one. Another size of the same proportions shows the
/// same breast. The same on every machine: value noise and polynomials in plain arithmetic, no
/// distribution and no filter of a library. Throws Error for a side under 16 or over 16384 pixels,
/// or a density that is none.
cv::Mat draw_phantom(const PhantomSpec& spec);

/// How a machine turns luminance into stored values.
struct Detector {
  int bits_stored = 12;
  /// Stored values of luminance 0 and 1, as shares of the largest stored value, before inversion.
  double black = 0.02;
  double white = 0.85;
  /// MONOCHROME1: the largest stored value is black.
  bool inverted = false;
};

/// Rounds luminance to stored values, clamped to `[0, 2^bits_stored - 1]`; returns CV_16U of the
/// same size. Throws Error unless `luminance` is CV_32F and bits_stored is 1 to 16.
cv::Mat to_stored_values(const cv::Mat& luminance, const Detector& detector);

}  // namespace mpbench::synth

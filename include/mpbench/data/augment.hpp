#pragma once

#include <array>
#include <cstdint>

#include "mpbench/data/augment_options.hpp"

namespace mpbench::data {

/// What is done to one image: mirrored, then turned and enlarged about its centre, then moved, then
/// made brighter.
struct Augmentation {
  bool hflip = false;
  double degrees = 0;      ///< clockwise
  double translate_x = 0;  ///< to the right, as a share of the width
  double translate_y = 0;  ///< down, as a share of the height
  double scale = 1;
  double contrast =
      1;  ///< values in [0, 1] become value * contrast + brightness, cut off at 0 and 1:
  double brightness = 0;  ///< contrast alone leaves a mammogram's background black

  /// Whether pixels go elsewhere by more than mirroring.
  bool moves() const;
};

/// Draws, each uniformly, what is done to image `index` of the set when it comes for the
/// `occurrence`-th time (from 0) in an epoch. Nothing else decides it: not the batch the image is
/// in, nor the thread that fills it, nor which of the other options are on.
Augmentation draw_augmentation(const AugmentOptions& options, std::uint64_t seed, int epoch,
                               std::int64_t index, std::int64_t occurrence);

/// Where a pixel of the result comes from: (x, y) of the result is
/// (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]) of the source, in pixels, whose centres have
/// whole numbers.
std::array<double, 6> source_matrix(const Augmentation& change, int height, int width);

/// The changed image, [C, H, W] like the source, whose place it must not overlap. Between pixels it
/// is interpolated bilinearly, and beyond the border everything is 0, as a mammogram's background
/// is; values are rounded to the nearest that can be stored, half up. For std::uint8_t and
/// std::uint16_t, whose full range stands for [0, 1].
template <typename Pixel>
void augment(const Pixel* source, Pixel* target, int channels, int height, int width,
             const Augmentation& change);

}  // namespace mpbench::data

#pragma once

namespace mpbench::data {

/// How training images are varied, so that a network does not learn them by heart. All is off: an
/// image then stays as it is, to the bit.
struct AugmentOptions {
  bool flip = false;      ///< mirror left and right, with probability 1/2
  double degrees = 0;     ///< turn by up to so many degrees either way; 0 to 180
  double shift = 0;       ///< move by up to this share of the width and of the height; 0 to 0.5
  double zoom = 0;        ///< enlarge by a factor from [1 - zoom, 1 + zoom]; 0 to 0.5
  double brightness = 0;  ///< add a number from [-brightness, brightness]; 0 to 1
  double contrast = 0;    ///< multiply by a factor from [1 - contrast, 1 + contrast]; 0 to 1

  /// Whether any of it is on.
  bool any() const;
};

/// Throws UsageError naming the option and its range.
void validate(const AugmentOptions& options);

}  // namespace mpbench::data

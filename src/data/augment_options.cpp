#include "mpbench/data/augment_options.hpp"

#include <fmt/format.h>

#include "mpbench/core/require.hpp"

namespace mpbench::data {

bool AugmentOptions::any() const {
  return flip || degrees != 0 || shift != 0 || zoom != 0 || brightness != 0 || contrast != 0;
}

void validate(const AugmentOptions& options) {
  const auto check = [](const char* option, double value, double most) {
    require(value >= 0 && value <= most, option, value, fmt::format("0 to {}", most));
  };
  check("--augment-degrees", options.degrees, 180);
  check("--augment-shift", options.shift, 0.5);
  check("--augment-zoom", options.zoom, 0.5);
  check("--augment-brightness", options.brightness, 1);
  check("--augment-contrast", options.contrast, 1);
}

}  // namespace mpbench::data

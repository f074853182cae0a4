#pragma once

#include <cstddef>
#include <span>

namespace mpbench::stats {

/// A metric: the share of images whose predicted class is their label.
inline double share_right(std::span<const double>, std::span<const int> labels,
                          std::span<const int> predicted) {
  double right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += labels[i] == predicted[i] ? 1 : 0;
  return right / static_cast<double>(labels.size());
}

}  // namespace mpbench::stats

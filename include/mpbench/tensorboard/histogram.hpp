#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mpbench::tensorboard {

/// How values are spread. A bucket is an eighth of the way from one power of two to the next, so
/// that it tells values apart that differ by 7 to 13 %, however large they are; all values below
/// 2^-40 (9e-13) in magnitude share one.
struct Histogram {
  std::int64_t count = 0;  ///< of the finite values, which alone are in all below
  double smallest = 0;     ///< 0 where there are none, like what follows
  double largest = 0;
  double sum = 0;
  double sum_of_squares = 0;
  std::vector<double> limits;        ///< upper ends of the buckets, ascending
  std::vector<std::int64_t> counts;  ///< of each; empty buckets in a row are one
  std::int64_t not_finite = 0;       ///< values that were left out: infinities, and no numbers
};

Histogram histogram_of(std::span<const float> values);

}  // namespace mpbench::tensorboard

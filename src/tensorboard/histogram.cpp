#include "mpbench/tensorboard/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace mpbench::tensorboard {
namespace {

// A bucket is what the exponent of a float and the first three bits of its mantissa say.
constexpr int buckets_of_an_exponent = 8;
constexpr int dropped_bits = 20;
constexpr int exponent_bias = 127;

constexpr int leading_bits(float magnitude) {
  return static_cast<int>(std::bit_cast<std::uint32_t>(magnitude) >> dropped_bits);
}

constexpr float smallest_magnitude = 0x1p-40F;
constexpr int first_bits = leading_bits(smallest_magnitude);
constexpr int buckets_of_a_sign = leading_bits(std::numeric_limits<float>::max()) - first_bits + 1;
/// The place of the bucket around 0; those of negative values are before it.
constexpr int middle = buckets_of_a_sign;

int place_of(float value) {
  const float magnitude = std::abs(value);
  if (magnitude < smallest_magnitude) return middle;
  const int distance = leading_bits(magnitude) - first_bits + 1;
  return value > 0 ? middle + distance : middle - distance;
}

/// Where the bucket that is so far from the middle ends, away from 0.
double outer_end(int distance) {
  const int bits = first_bits + distance;
  const double mantissa =
      1 + static_cast<double>(bits % buckets_of_an_exponent) / buckets_of_an_exponent;
  return std::ldexp(mantissa, bits / buckets_of_an_exponent - exponent_bias);
}

double upper_end(int place) {
  return place >= middle ? outer_end(place - middle) : -outer_end(middle - place - 1);
}

/// From the first bucket that holds a value to the last.
void fill_buckets(Histogram& histogram, const std::vector<std::int64_t>& counts) {
  int last = static_cast<int>(counts.size()) - 1;
  while (last >= 0 && counts[static_cast<std::size_t>(last)] == 0) --last;
  for (int place = 0; place <= last; ++place) {
    const std::int64_t count = counts[static_cast<std::size_t>(place)];
    if (count == 0 && histogram.counts.empty()) continue;
    if (count == 0 && histogram.counts.back() == 0) {
      histogram.limits.back() = upper_end(place);
    } else {
      histogram.limits.push_back(upper_end(place));
      histogram.counts.push_back(count);
    }
  }
}

}  // namespace

Histogram histogram_of(std::span<const float> values) {
  Histogram histogram;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(2 * buckets_of_a_sign + 1));
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++histogram.not_finite;
      continue;
    }
    const double wide = value;
    histogram.smallest = histogram.count == 0 ? wide : std::min(histogram.smallest, wide);
    histogram.largest = histogram.count == 0 ? wide : std::max(histogram.largest, wide);
    ++histogram.count;
    histogram.sum += wide;
    histogram.sum_of_squares += wide * wide;
    ++counts[static_cast<std::size_t>(place_of(value))];
  }
  fill_buckets(histogram, counts);
  return histogram;
}

}  // namespace mpbench::tensorboard

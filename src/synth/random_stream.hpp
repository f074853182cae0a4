#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "mpbench/core/random.hpp"

namespace mpbench::synth {

/// A seed of its own for a part of the work, so that parts can be done in any order. Not mix_seed,
/// which scrambles otherwise: synthetic sets would become others.
constexpr std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t part) {
  return mix_bits(combine_bits(seed, part));
}

/// SplitMix64 with the distributions that drawing needs.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) : bits_(seed) {}

  std::uint64_t next() { return bits_(); }
  /// In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  bool chance(double probability) { return uniform() < probability; }
  /// 0 to count - 1. The bias of the product is below count / 2^53.
  int index(int count) { return static_cast<int>(uniform() * count); }
  /// Mean 0, deviation 1, never beyond 6: the sum of twelve uniforms, which needs no library
  /// function.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }
  /// An index drawn in proportion to its weight.
  template <std::size_t N>
  int weighted(const std::array<double, N>& weights) {
    double total = 0;
    for (double weight : weights) total += weight;
    double left = uniform() * total;
    for (std::size_t i = 0; i + 1 < N; ++i) {
      if (left < weights[i]) return static_cast<int>(i);
      left -= weights[i];
    }
    return static_cast<int>(N) - 1;
  }

 private:
  SplitMix64 bits_;
};

}  // namespace mpbench::synth

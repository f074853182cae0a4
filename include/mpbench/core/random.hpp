#pragma once

#include <cstdint>
#include <utility>
#include <vector>

/// Chance that is the same on every machine: the distributions of <random> and std::shuffle differ
/// between standard libraries, and the same seed has to mean the same split, batches, resamples and
/// synthetic images everywhere.
namespace mpbench {

/// Scrambles 64 bits (the finaliser of SplitMix64).
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

/// What SplitMix64(seed) gives at its `place`-th call, counted from 1: for values that do not
/// depend on the order in which they are drawn.
constexpr std::uint64_t split_mix_at(std::uint64_t seed, std::uint64_t place) {
  return mix_bits(seed + place * 0x9E3779B97F4A7C15U);
}

/// SplitMix64 (Steele, Lea and Flood, 2014, https://doi.org/10.1145/2714064.2660195).
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t operator()() { return split_mix_at(seed_, ++calls_); }

 private:
  std::uint64_t seed_;
  std::uint64_t calls_ = 0;
};

/// Uniform in [0, bound), without bias: values from the incomplete last range are drawn again.
/// `generator` gives all 64-bit values alike: SplitMix64, or std::mt19937_64, whose output the
/// standard fixes.
template <typename Generator>
std::uint64_t draw_below(Generator& generator, std::uint64_t bound) {
  const std::uint64_t excess = (UINT64_MAX % bound + 1) % bound;
  std::uint64_t value = generator();
  while (value > UINT64_MAX - excess) value = generator();
  return value % bound;
}

/// Two numbers as one, so that (1, 2) and (2, 1) have nothing in common: not scrambled yet.
constexpr std::uint64_t combine_bits(std::uint64_t a, std::uint64_t b) {
  return split_mix_at(a, 1) ^ (b * 0xD1342543DE82EF95U + 1);
}

/// One seed out of two numbers.
constexpr std::uint64_t mix_seed(std::uint64_t a, std::uint64_t b) {
  return split_mix_at(combine_bits(a, b), 1);
}

/// Fisher-Yates.
template <typename T>
void shuffle(std::vector<T>& items, SplitMix64& random) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[draw_below(random, i)]);
  }
}

}  // namespace mpbench

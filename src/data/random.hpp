#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace mpbench::data {

/// SplitMix64 (Steele, Lea and Flood, 2014, https://doi.org/10.1145/2714064.2660195). Chosen over
/// <random>, whose distributions and std::shuffle differ between standard libraries: the same seed
/// has to mean the same split and the same batches everywhere.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t operator()() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound), without bias: values from the incomplete last range are drawn again.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t excess = (UINT64_MAX % bound + 1) % bound;
    std::uint64_t value = (*this)();
    while (value > UINT64_MAX - excess) value = (*this)();
    return value % bound;
  }

 private:
  std::uint64_t state_;
};

/// One seed out of two numbers, so that (1, 2) and (2, 1) have nothing in common.
inline std::uint64_t mix_seed(std::uint64_t a, std::uint64_t b) {
  return SplitMix64(SplitMix64(a)() ^ (b * 0xD1342543DE82EF95U + 1))();
}

/// Fisher-Yates.
template <typename T>
void shuffle(std::vector<T>& items, SplitMix64& random) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[random.below(i)]);
  }
}

}  // namespace mpbench::data

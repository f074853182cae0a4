#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mpbench::synth {

/// Smooth random hills of one size: random values on a lattice, interpolated by cubic B-splines,
/// which leave no trace of the lattice. Mean 0, deviation about 1.
class ValueNoise {
 public:
  /// `cell` is the lattice's spacing in pixels, at least 1.
  ValueNoise(std::uint64_t seed, double cell, int height, int width);
  /// Adds `amplitude` times the noise of row y to `row`, which is as wide as the noise.
  void add_row(int y, float amplitude, std::span<float> row);

 private:
  struct Tap {
    int cell;
    float weight[4];
  };
  static Tap tap(double position);

  double cell_;
  int columns_;
  std::vector<float> lattice_;
  std::vector<Tap> taps_;
  std::vector<float> blended_;
};

/// Several sizes at once: each octave has half the cell of the one before and `falloff` times its
/// amplitude.
class FractalNoise {
 public:
  FractalNoise(std::uint64_t seed, double cell, int octaves, double falloff, int height, int width);
  /// Fills `row` with the noise of row y: mean 0, deviation about 1.
  void row(int y, std::span<float> row);

 private:
  std::vector<ValueNoise> octaves_;
  std::vector<float> amplitudes_;
};

}  // namespace mpbench::synth

#include "value_noise.hpp"

#include <algorithm>
#include <cmath>

#include "random_stream.hpp"

namespace mpbench::synth {

ValueNoise::Tap ValueNoise::tap(double position) {
  const double whole = std::floor(position);
  const double t = position - whole;
  const double u = 1 - t;
  return {
      static_cast<int>(whole),
      {static_cast<float>(u * u * u / 6), static_cast<float>((3 * t * t * t - 6 * t * t + 4) / 6),
       static_cast<float>((3 * u * u * u - 6 * u * u + 4) / 6), static_cast<float>(t * t * t / 6)}};
}

ValueNoise::ValueNoise(std::uint64_t seed, double cell, int height, int width)
    : cell_(std::max(cell, 1.0)),
      columns_(static_cast<int>(width / cell_) + 5),
      taps_(static_cast<std::size_t>(width)),
      blended_(static_cast<std::size_t>(columns_)) {
  // A lattice that starts anywhere, or hills would stand at the same places of every image's
  // edge.
  RandomStream random(seed);
  const double shift = random.uniform();
  for (int x = 0; x < width; ++x) {
    taps_[static_cast<std::size_t>(x)] = tap((x + 0.5) / cell_ + shift);
  }
  // Uniform values have deviation 1/sqrt(3); a B-spline leaves 0.479 of it (a mean square of 0.479
  // in each direction).
  constexpr double to_unit_deviation = 1.7320508075688772 / 0.4794;
  const int rows = static_cast<int>(height / cell_) + 5;
  lattice_.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns_));
  // Each point from its place alone: a larger image shows the same hills.
  for (int j = 0; j < rows; ++j) {
    RandomStream line(derive_seed(seed, static_cast<std::uint64_t>(j)));
    for (int i = 0; i < columns_; ++i) {
      lattice_.push_back(static_cast<float>(line.between(-1, 1) * to_unit_deviation));
    }
  }
}

void ValueNoise::add_row(int y, float amplitude, std::span<float> row) {
  const Tap vertical = tap((y + 0.5) / cell_);
  const float* top = lattice_.data() + static_cast<std::size_t>(vertical.cell) * blended_.size();
  const std::size_t stride = blended_.size();
  for (std::size_t i = 0; i < stride; ++i) {
    blended_[i] = amplitude * (vertical.weight[0] * top[i] + vertical.weight[1] * top[i + stride] +
                               vertical.weight[2] * top[i + 2 * stride] +
                               vertical.weight[3] * top[i + 3 * stride]);
  }
  for (std::size_t x = 0; x < row.size(); ++x) {
    const Tap& across = taps_[x];
    const float* at = blended_.data() + across.cell;
    row[x] += across.weight[0] * at[0] + across.weight[1] * at[1] + across.weight[2] * at[2] +
              across.weight[3] * at[3];
  }
}

FractalNoise::FractalNoise(std::uint64_t seed, double cell, int octaves, double falloff, int height,
                           int width) {
  double amplitude = 1;
  double square = 0;
  // Cells of less than two pixels would alias: a small image has fewer octaves.
  for (int i = 0; i < octaves && (i == 0 || cell >= 2); ++i) {
    octaves_.emplace_back(derive_seed(seed, static_cast<std::uint64_t>(i)), cell, height, width);
    amplitudes_.push_back(static_cast<float>(amplitude));
    square += amplitude * amplitude;
    amplitude *= falloff;
    cell /= 2;
  }
  for (float& value : amplitudes_) value = static_cast<float>(value / std::sqrt(square));
}

void FractalNoise::row(int y, std::span<float> row) {
  std::fill(row.begin(), row.end(), 0.0F);
  for (std::size_t i = 0; i < octaves_.size(); ++i) octaves_[i].add_row(y, amplitudes_[i], row);
}

}  // namespace mpbench::synth

#pragma once

#include <ATen/Parallel.h>

#include <cmath>

#include <numeric>
#include <vector>

#include "../element_type.hpp"
#include "../simd/activation.hpp"
#include "batch_norm_kernels.hpp"

// The loops behind batch_norm_kernels.hpp, written once and compiled for each set of instructions.

MPBENCH_TARGET_BEGIN

/// The matrix [rows, channels] seen as [rows / copies, copies * channels], so that narrow rows fill
/// whole blocks.
class FoldedMatrix {
 public:
  explicit FoldedMatrix(const NormShape& shape) : channels_(shape.channels) {
    constexpr std::int64_t widest = 2048;
    const std::int64_t whole = block_width / std::gcd<std::int64_t>(block_width, channels_);
    if (whole * channels_ <= widest && shape.rows % whole == 0) copies_ = whole;
    rows_ = shape.rows / copies_;
    // Fixed by the shape alone, so that sums do not depend on the number of threads.
    constexpr std::int64_t most_tiles = 64;
    constexpr std::int64_t least_values = 16384;
    tile_rows_ =
        std::max<std::int64_t>({1, (rows_ + most_tiles - 1) / most_tiles, least_values / width()});
  }

  std::int64_t channels() const { return channels_; }
  std::int64_t copies() const { return copies_; }
  std::int64_t width() const { return channels_ * copies_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t blocks() const { return (width() + block_width - 1) / block_width; }
  std::int64_t tiles() const { return (rows_ + tile_rows_ - 1) / tile_rows_; }

  /// Calls function(tile, first_row, last_row) in parallel.
  template <typename Function>
  void for_each_tile(Function function) const {
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / (tile_rows_ * width()));
    at::parallel_for(0, tiles(), grain, [&](std::int64_t tile, std::int64_t last) {
      for (; tile < last; ++tile) {
        function(tile, tile * tile_rows_, std::min(rows_, (tile + 1) * tile_rows_));
      }
    });
  }

 private:
  std::int64_t channels_;
  std::int64_t copies_ = 1;
  std::int64_t rows_;
  std::int64_t tile_rows_;
};

/// A value a channel, in the order of a block's registers.
template <typename T>
class PackedChannels {
 public:
  PackedChannels(const FoldedMatrix& matrix, const float* values)
      : values_(static_cast<std::size_t>(matrix.blocks() * block_width), 0.0F) {
    for (std::int64_t copy = 0; copy < matrix.copies(); ++copy) {
      for (std::int64_t channel = 0; channel < matrix.channels(); ++channel) {
        values_[static_cast<std::size_t>(index(copy * matrix.channels() + channel))] =
            values[channel];
      }
    }
  }
  static std::int64_t index(std::int64_t column) {
    return column / block_width * block_width +
           position_in_block<T>(static_cast<int>(column % block_width));
  }
  Block block(std::int64_t number) const {
    return load_packed(values_.data() + number * block_width);
  }

 private:
  std::vector<float> values_;
};

template <typename T>
struct PackedCoefficients {
  PackedCoefficients(const FoldedMatrix& matrix, const NormCoefficients& c)
      : mean(matrix, c.mean), scale(matrix, c.scale), bias(matrix, c.bias) {}
  PackedChannels<T> mean, scale, bias;
};

[[gnu::always_inline]] inline Block subtract(Block x, Block y) { return {x.a - y.a, x.b - y.b}; }
[[gnu::always_inline]] inline Block add(Block x, Block y) { return {x.a + y.a, x.b + y.b}; }

/// Two sums a channel over the rows of each tile, and over the tiles in float64.
template <typename T>
class TileSums {
 public:
  explicit TileSums(const FoldedMatrix& matrix)
      : matrix_(matrix),
        stride_(matrix.blocks() * block_width),
        values_(static_cast<std::size_t>(matrix.tiles() * 2 * stride_)) {}

  /// The first sum of a block; the second lies stride() behind.
  float* at(std::int64_t tile, std::int64_t block) {
    return values_.data() + tile * 2 * stride_ + block * block_width;
  }
  std::int64_t stride() const { return stride_; }

  void add_up(double* first, double* second) const {
    std::vector<double> totals(static_cast<std::size_t>(2 * stride_), 0.0);
    for (std::int64_t tile = 0; tile < matrix_.tiles(); ++tile) {
      const float* const from = values_.data() + tile * 2 * stride_;
      for (std::size_t i = 0; i < totals.size(); ++i) totals[i] += from[i];
    }
    std::fill_n(first, matrix_.channels(), 0.0);
    std::fill_n(second, matrix_.channels(), 0.0);
    for (std::int64_t copy = 0; copy < matrix_.copies(); ++copy) {
      for (std::int64_t channel = 0; channel < matrix_.channels(); ++channel) {
        const std::int64_t at = PackedChannels<T>::index(copy * matrix_.channels() + channel);
        first[channel] += totals[static_cast<std::size_t>(at)];
        second[channel] += totals[static_cast<std::size_t>(stride_ + at)];
      }
    }
  }

 private:
  const FoldedMatrix& matrix_;
  std::int64_t stride_;
  std::vector<float> values_;
};

/// Rows whose sums over a block of channels are kept in registers, before the next block's.
constexpr std::int64_t part_rows = 4;

/// How many values ahead to fetch: with so much arithmetic for a value, few loads are under way at
/// a time, and without it each waits for memory.
template <typename T>
std::int64_t fetch_distance(const FoldedMatrix& matrix) {
  constexpr std::int64_t bytes = 2048;
  const std::int64_t row_bytes = matrix.width() * static_cast<std::int64_t>(sizeof(T));
  return matrix.width() * std::max(part_rows, bytes / row_bytes);
}

/// Blocks whose sums fit the registers together.
#ifdef MPBENCH_SIMD_AVX512
constexpr int group = 4;
#else
constexpr int group = 1;
#endif

/// Adds x - pivot and its square, of `count` blocks of the rows [row, last_row), to sums[block] and
/// sums[stride + block].
template <typename T, int count>
[[gnu::always_inline]] inline void add_moments(const FoldedMatrix& matrix, const T* x,
                                               const PackedChannels<T>& pivot, std::int64_t row,
                                               std::int64_t last_row, std::int64_t block,
                                               float* sums, std::int64_t stride) {
  const std::int64_t ahead = fetch_distance<T>(matrix);
  Block pivots[count];
  Block first[count];
  Block second[count];
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i) {
    pivots[i] = pivot.block(block + i);
    first[i] = load_packed(sums + i * block_width);
    second[i] = load_packed(sums + stride + i * block_width);
  }
  const TailMask mask(matrix.width() - (block + count - 1) * block_width);
  const TailMask whole(block_width);
  for (; row < last_row; ++row) {
    const T* const from = x + row * matrix.width() + block * block_width;
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      prefetch_block(from + i * block_width + ahead);
      const Block d =
          subtract(load(from + i * block_width, i + 1 < count ? whole : mask), pivots[i]);
      first[i] = add(first[i], d);
      second[i] = multiply_add(d, d, second[i]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < count; ++i) {
    store_packed(sums + i * block_width, first[i]);
    store_packed(sums + stride + i * block_width, second[i]);
  }
}

template <typename T>
void batch_moments(const NormShape& shape, const T* x, double* mean, double* variance) {
  const FoldedMatrix matrix(shape);
  // Around the first row's values: the square of the mean would drown the variance in rounding.
  std::vector<float> pivot(x, x + shape.channels);
  const PackedChannels<T> pivots(matrix, pivot.data());
  TileSums<T> sums(matrix);
  matrix.for_each_tile([&](std::int64_t tile, std::int64_t row, std::int64_t last_row) {
    for (; row < last_row; row += part_rows) {
      const std::int64_t end = std::min(row + part_rows, last_row);
      std::int64_t block = 0;
      for (; block + group <= matrix.blocks(); block += group) {
        add_moments<T, group>(matrix, x, pivots, row, end, block, sums.at(tile, block),
                              sums.stride());
      }
      for (; block < matrix.blocks(); ++block) {
        add_moments<T, 1>(matrix, x, pivots, row, end, block, sums.at(tile, block), sums.stride());
      }
    }
  });
  sums.add_up(mean, variance);
  const auto count = static_cast<double>(shape.rows);
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const double offset = mean[c] / count;
    variance[c] = std::max(0.0, variance[c] / count - offset * offset);
    if (std::isnan(offset)) variance[c] = offset;
    mean[c] = pivot[static_cast<std::size_t>(c)] + offset;
  }
}

/// Calls function(offset, block, mask) for each block of the rows [row, last_row).
template <typename Function>
[[gnu::always_inline]] inline void for_each_block(const FoldedMatrix& matrix, std::int64_t row,
                                                  std::int64_t last_row, Function function) {
  for (; row < last_row; ++row) {
    for (std::int64_t block = 0; block < matrix.blocks(); ++block) {
      function(row * matrix.width() + block * block_width, block,
               TailMask(matrix.width() - block * block_width));
    }
  }
}

template <Activation activation, typename T>
void normalize_all(const FoldedMatrix& matrix, const PackedCoefficients<T>& c, const T* x, T* y) {
  const std::int64_t ahead = fetch_distance<T>(matrix);
  matrix.for_each_tile([&](std::int64_t, std::int64_t row, std::int64_t last_row) {
    for_each_block(
        matrix, row, last_row,
        [&](std::int64_t at, std::int64_t block, TailMask mask) __attribute__((always_inline)) {
          prefetch_block(x + at + ahead);
          prefetch_block(y + at + ahead);
          const Block centred = subtract(load(x + at, mask), c.mean.block(block));
          const Block z = multiply_add(centred, c.scale.block(block), c.bias.block(block));
          store(y + at, Block{activate<activation>(z.a), activate<activation>(z.b)}, mask);
        });
  });
}

template <Activation activation, typename T>
[[gnu::always_inline]] inline Block activation_gradient(const PackedCoefficients<T>& c,
                                                        std::int64_t block, Block centred,
                                                        Block dy) {
  const Block z = multiply_add(centred, c.scale.block(block), c.bias.block(block));
  return {through_activation<activation>(z.a, dy.a), through_activation<activation>(z.b, dy.b)};
}

/// Adds dz and dz * (x - mean) of a block of the rows [row, last_row) to sums and sums + stride.
template <Activation activation, typename T>
[[gnu::always_inline]] inline void add_gradients(const FoldedMatrix& matrix,
                                                 const PackedCoefficients<T>& c, const T* x,
                                                 const T* dy, std::int64_t row,
                                                 std::int64_t last_row, std::int64_t block,
                                                 float* sums, std::int64_t stride) {
  const std::int64_t ahead = fetch_distance<T>(matrix);
  const TailMask mask(matrix.width() - block * block_width);
  const Block mean = c.mean.block(block);
  Block sum_dz = load_packed(sums);
  Block sum_dz_x = load_packed(sums + stride);
  for (; row < last_row; ++row) {
    const std::int64_t at = row * matrix.width() + block * block_width;
    prefetch_block(x + at + ahead);
    prefetch_block(dy + at + ahead);
    const Block centred = subtract(load(x + at, mask), mean);
    const Block dz = activation_gradient<activation>(c, block, centred, load(dy + at, mask));
    sum_dz = add(sum_dz, dz);
    sum_dz_x = multiply_add(dz, centred, sum_dz_x);
  }
  store_packed(sums, sum_dz);
  store_packed(sums + stride, sum_dz_x);
}

template <Activation activation, typename T>
void gradient_sums(const FoldedMatrix& matrix, const PackedCoefficients<T>& c, const T* x,
                   const T* dy, TileSums<T>& sums) {
  matrix.for_each_tile([&](std::int64_t tile, std::int64_t row, std::int64_t last_row) {
    for (; row < last_row; row += part_rows) {
      const std::int64_t end = std::min(row + part_rows, last_row);
      for (std::int64_t block = 0; block < matrix.blocks(); ++block) {
        add_gradients<activation>(matrix, c, x, dy, row, end, block, sums.at(tile, block),
                                  sums.stride());
      }
    }
  });
}

template <Activation activation, typename T>
void gradient_all(const FoldedMatrix& matrix, const PackedCoefficients<T>& c,
                  const PackedChannels<T>& slope, const PackedChannels<T>& offset, const T* x,
                  const T* dy, T* dx) {
  const std::int64_t ahead = fetch_distance<T>(matrix);
  matrix.for_each_tile([&](std::int64_t, std::int64_t row, std::int64_t last_row) {
    for_each_block(
        matrix, row, last_row,
        [&](std::int64_t at, std::int64_t block, TailMask mask) __attribute__((always_inline)) {
          prefetch_block(x + at + ahead);
          prefetch_block(dy + at + ahead);
          prefetch_block(dx + at + ahead);
          const Block centred = subtract(load(x + at, mask), c.mean.block(block));
          const Block dz = activation_gradient<activation>(c, block, centred, load(dy + at, mask));
          const Block rest = multiply_add(centred, slope.block(block), offset.block(block));
          store(dx + at, multiply_add(dz, c.scale.block(block), rest), mask);
        });
  });
}

/// Calls function.template operator()<activation>().
template <typename Function>
void with_activation(Activation activation, Function function) {
  switch (activation) {
    case Activation::none:
      return function.template operator()<Activation::none>();
    case Activation::relu:
      return function.template operator()<Activation::relu>();
    case Activation::relu6:
      return function.template operator()<Activation::relu6>();
    case Activation::silu:
      return function.template operator()<Activation::silu>();
  }
}

template <typename T>
void normalize(const NormShape& shape, const NormCoefficients& coefficients, Activation activation,
               const T* x, T* y) {
  const FoldedMatrix matrix(shape);
  const PackedCoefficients<T> c(matrix, coefficients);
  with_activation(activation, [&]<Activation a>() { normalize_all<a>(matrix, c, x, y); });
}

template <typename T>
void normalize_gradient_sums(const NormShape& shape, const NormCoefficients& coefficients,
                             Activation activation, const T* x, const T* dy, double* sum_dz,
                             double* sum_dz_x) {
  const FoldedMatrix matrix(shape);
  const PackedCoefficients<T> c(matrix, coefficients);
  TileSums<T> sums(matrix);
  with_activation(activation, [&]<Activation a>() { gradient_sums<a>(matrix, c, x, dy, sums); });
  sums.add_up(sum_dz, sum_dz_x);
}

template <typename T>
void normalize_gradient(const NormShape& shape, const NormCoefficients& coefficients,
                        Activation activation, const float* slope, const float* offset, const T* x,
                        const T* dy, T* dx) {
  const FoldedMatrix matrix(shape);
  const PackedCoefficients<T> c(matrix, coefficients);
  const PackedChannels<T> slopes(matrix, slope);
  const PackedChannels<T> offsets(matrix, offset);
  with_activation(activation,
                  [&]<Activation a>() { gradient_all<a>(matrix, c, slopes, offsets, x, dy, dx); });
}

template <typename T>
constexpr BatchNormKernels<T> batch_norm_kernels_for{
    batch_moments<T>, normalize<T>, normalize_gradient_sums<T>, normalize_gradient<T>};

extern const PerElementType<BatchNormKernels> batch_norm_kernels;
constinit const PerElementType<BatchNormKernels> batch_norm_kernels{
    batch_norm_kernels_for<float>, batch_norm_kernels_for<c10::BFloat16>,
    batch_norm_kernels_for<c10::Half>};

MPBENCH_TARGET_END

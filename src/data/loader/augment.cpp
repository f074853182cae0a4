#include "mpbench/data/augment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <numbers>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"

namespace mpbench::data {
namespace {

/// Uniform in [-1, 1).
double draw_signed(SplitMix64& random) { return static_cast<double>(random() >> 11) * 0x1p-52 - 1; }

/// value * gain + offset in the units of the stored pixel, rounded and cut off. Rounding comes
/// first: integers are cut off without a branch, which lets the compiler do several pixels at once.
struct Tone {
  float gain;
  float offset;
  int maximum;

  int operator()(float value) const {
    const int rounded = static_cast<int>(value * gain + offset + 0.5F);
    const int not_negative = rounded < 0 ? 0 : rounded;
    return not_negative > maximum ? maximum : not_negative;
  }
};

/// Along one row of the result the place in the source is (dx, dy) * x + (x0, y0).
struct Line {
  float dx;
  float x0;
  float dy;
  float y0;

  float x(int at) const { return dx * static_cast<float>(at) + x0; }
  float y(int at) const { return dy * static_cast<float>(at) + y0; }
};

struct Interval {
  int begin;
  int end;
};

/// The part of a row [0, width) that comes from lowest <= x < columns, lowest <= y < rows of the
/// source. Estimated from the line's crossings with these limits, then cut back until both ends are
/// inside for certain; as x() and y() never turn back, so is what is between.
Interval part_within(const Line& line, int width, float lowest, int columns, int rows) {
  float low = 0;
  auto high = static_cast<float>(width);
  const auto clip = [&](float slope, float start, int limit) {
    if (slope == 0) {
      if (start < lowest || start >= static_cast<float>(limit)) high = low;
      return;
    }
    const float one = (lowest - start) / slope;
    const float other = (static_cast<float>(limit) - start) / slope;
    low = std::max(low, std::min(one, other));
    high = std::min(high, std::max(one, other));
  };
  clip(line.dx, line.x0, columns);
  clip(line.dy, line.y0, rows);
  if (!(low < high)) return {0, 0};
  const auto is_inside = [&](int at) {
    const float x = line.x(at);
    const float y = line.y(at);
    return x >= lowest && x < static_cast<float>(columns) && y >= lowest &&
           y < static_cast<float>(rows);
  };
  Interval part{static_cast<int>(low), std::min(width, static_cast<int>(high) + 2)};
  while (part.begin < part.end && !is_inside(part.begin)) ++part.begin;
  while (part.begin < part.end && !is_inside(part.end - 1)) --part.end;
  return part;
}

template <typename Pixel>
struct Plane {
  const Pixel* pixels;
  int height;
  int width;

  float at(int x, int y) const {
    if (x < 0 || x >= width || y < 0 || y >= height) return 0;
    return static_cast<float>(pixels[std::ptrdiff_t{y} * width + x]);
  }
};

/// Any place from -1 on, hence also where some of the four neighbours are beyond the border.
template <typename Pixel>
float interpolate(const Plane<Pixel>& plane, float x, float y) {
  const int column = static_cast<int>(x + 1) - 1;
  const int row = static_cast<int>(y + 1) - 1;
  const float right = x - static_cast<float>(column);
  const float down = y - static_cast<float>(row);
  const float upper = (1 - right) * plane.at(column, row) + right * plane.at(column + 1, row);
  const float lower =
      (1 - right) * plane.at(column, row + 1) + right * plane.at(column + 1, row + 1);
  return (1 - down) * upper + down * lower;
}

/// The inner part of a row. In three passes, as only fetching the pixels has to go one by one; the
/// arithmetic around it the compiler does several pixels at once.
template <typename Pixel>
void interpolate_inner(Plane<Pixel> plane, Line line, Interval part, Tone tone, Pixel* target) {
  constexpr int chunk = 256;
  alignas(64) float right[chunk];
  alignas(64) float down[chunk];
  alignas(64) std::int32_t place[chunk];
  alignas(64) std::uint32_t upper[chunk];  // two neighbours, the left one in the lower half
  alignas(64) std::uint32_t lower[chunk];
  for (int begin = part.begin; begin < part.end; begin += chunk) {
    const int count = std::min(chunk, part.end - begin);
    for (int i = 0; i < count; ++i) {
      const float x = line.x(begin + i);
      const float y = line.y(begin + i);
      const int column = static_cast<int>(x);
      const int row = static_cast<int>(y);
      right[i] = x - static_cast<float>(column);
      down[i] = y - static_cast<float>(row);
      place[i] = row * plane.width + column;
    }
    for (int i = 0; i < count; ++i) {
      const Pixel* from = plane.pixels + place[i];
      upper[i] = from[0] | static_cast<std::uint32_t>(from[1]) << 16;
      from += plane.width;
      lower[i] = from[0] | static_cast<std::uint32_t>(from[1]) << 16;
    }
    // Signed on the way to float: SSE2 has no conversion from unsigned.
    const auto left_half = [](std::uint32_t pair) {
      return static_cast<float>(static_cast<std::int32_t>(pair & 0xFFFF));
    };
    const auto right_half = [](std::uint32_t pair) {
      return static_cast<float>(static_cast<std::int32_t>(pair >> 16));
    };
    for (int i = 0; i < count; ++i) {
      const float up =
          left_half(upper[i]) + right[i] * (right_half(upper[i]) - left_half(upper[i]));
      const float low =
          left_half(lower[i]) + right[i] * (right_half(lower[i]) - left_half(lower[i]));
      target[begin + i] = static_cast<Pixel>(tone(up + down[i] * (low - up)));
    }
  }
}

template <typename Pixel>
void resample(const Plane<Pixel>& plane, Pixel* target, const std::array<double, 6>& matrix,
              Tone tone) {
  const auto background = static_cast<Pixel>(tone(0));
  for (int y = 0; y < plane.height; ++y, target += plane.width) {
    const Line line{.dx = static_cast<float>(matrix[0]),
                    .x0 = static_cast<float>(matrix[1] * y + matrix[2]),
                    .dy = static_cast<float>(matrix[3]),
                    .y0 = static_cast<float>(matrix[4] * y + matrix[5])};
    // Every pixel from here on has a neighbour in the source, and within `inner` all four.
    const Interval seen = part_within(line, plane.width, -1, plane.width, plane.height);
    Interval inner = part_within(line, plane.width, 0, plane.width - 1, plane.height - 1);
    if (inner.begin == inner.end) inner = {seen.end, seen.end};
    const auto border = [&](int begin, int end) {
      for (int x = begin; x < end; ++x) {
        target[x] = static_cast<Pixel>(tone(interpolate(plane, line.x(x), line.y(x))));
      }
    };
    std::fill(target, target + seen.begin, background);
    border(seen.begin, inner.begin);
    interpolate_inner(plane, line, inner, tone, target);
    border(inner.end, seen.end);
    std::fill(target + seen.end, target + plane.width, background);
  }
}

/// A row back to front. Bytes go eight at a time; wider pixels the compiler turns around by itself.
template <typename Pixel>
void mirror(const Pixel* source, Pixel* target, int width) {
  int done = 0;
  if constexpr (sizeof(Pixel) == 1) {
    for (; done + 8 <= width; done += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, source + done, sizeof word);
      word = __builtin_bswap64(word);
      std::memcpy(target + width - done - 8, &word, sizeof word);
    }
  }
  std::reverse_copy(source + done, source + width, target);
}

}  // namespace

bool Augmentation::moves() const {
  return degrees != 0 || translate_x != 0 || translate_y != 0 || scale != 1;
}

Augmentation draw_augmentation(const AugmentOptions& options, std::uint64_t seed, int epoch,
                               std::int64_t index, std::int64_t occurrence) {
  // The first two are what the epoch's order is drawn from; the third tells them apart.
  std::uint64_t mixed = mix_seed(seed, static_cast<std::uint64_t>(epoch));
  for (const std::uint64_t part : {std::uint64_t{0xA06}, static_cast<std::uint64_t>(index),
                                   static_cast<std::uint64_t>(occurrence)}) {
    mixed = mix_seed(mixed, part);
  }
  SplitMix64 random(mixed);
  // Everything is drawn, in this order, also what is off: one option does not change the others'
  // draws.
  Augmentation change;
  change.hflip = (random() >> 63) != 0 && options.flip;
  change.degrees = options.degrees * draw_signed(random);
  change.translate_x = options.shift * draw_signed(random);
  change.translate_y = options.shift * draw_signed(random);
  change.scale = 1 + options.zoom * draw_signed(random);
  change.brightness = options.brightness * draw_signed(random);
  change.contrast = 1 + options.contrast * draw_signed(random);
  return change;
}

std::array<double, 6> source_matrix(const Augmentation& change, int height, int width) {
  const double angle = change.degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle) / change.scale;
  const double sine = std::sin(angle) / change.scale;
  // Turned back and shrunk; y points down, so clockwise is the positive direction.
  std::array<double, 6> matrix{cosine, sine, 0, -sine, cosine, 0};
  if (change.hflip) {
    matrix[0] = -matrix[0];
    matrix[1] = -matrix[1];
  }
  const double centre_x = (width - 1) / 2.0;
  const double centre_y = (height - 1) / 2.0;
  const double from_x = centre_x + change.translate_x * width;
  const double from_y = centre_y + change.translate_y * height;
  matrix[2] = centre_x - matrix[0] * from_x - matrix[1] * from_y;
  matrix[5] = centre_y - matrix[3] * from_x - matrix[4] * from_y;
  return matrix;
}

template <typename Pixel>
void augment(const Pixel* source, Pixel* target, int channels, int height, int width,
             const Augmentation& change) {
  const std::ptrdiff_t plane = std::ptrdiff_t{height} * width;
  if (plane > std::numeric_limits<std::int32_t>::max()) {
    throw Error(fmt::format("images of {} x {} are too large to augment", height, width));
  }
  constexpr int maximum = std::numeric_limits<Pixel>::max();
  const Tone tone{.gain = static_cast<float>(change.contrast),
                  .offset = static_cast<float>(change.brightness * maximum),
                  .maximum = maximum};
  if (change.moves()) {
    const auto matrix = source_matrix(change, height, width);
    for (int c = 0; c < channels; ++c) {
      resample(Plane<Pixel>{source + c * plane, height, width}, target + c * plane, matrix, tone);
    }
    return;
  }
  const std::ptrdiff_t values = plane * channels;
  if (change.hflip) {
    for (std::ptrdiff_t row = 0; row < values; row += width) {
      mirror(source + row, target + row, width);
    }
    source = target;
  }
  if (change.contrast != 1 || change.brightness != 0) {
    for (std::ptrdiff_t i = 0; i < values; ++i) {
      target[i] = static_cast<Pixel>(tone(static_cast<float>(source[i])));
    }
  } else if (source != target) {
    std::copy_n(source, values, target);
  }
}

template void augment(const std::uint8_t*, std::uint8_t*, int, int, int, const Augmentation&);
template void augment(const std::uint16_t*, std::uint16_t*, int, int, int, const Augmentation&);

}  // namespace mpbench::data

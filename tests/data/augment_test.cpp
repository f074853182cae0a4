#include "mpbench/data/augment.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/random.hpp"
#include "support/matchers.hpp"

namespace mpbench::data {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr AugmentOptions all_augmentations{
    .flip = true, .degrees = 30, .shift = 0.1, .zoom = 0.2, .brightness = 0.3, .contrast = 0.4};

template <typename Pixel = std::uint8_t>
std::vector<Pixel> noise(std::size_t count) {
  SplitMix64 random(1);
  std::vector<Pixel> values(count);
  for (auto& value : values) value = static_cast<Pixel>(random());
  return values;
}

template <typename Pixel>
std::vector<Pixel> augmented(const std::vector<Pixel>& image, int height, int width,
                             const Augmentation& change, int channels = 1) {
  std::vector<Pixel> result(image.size(), Pixel{77});
  augment(image.data(), result.data(), channels, height, width, change);
  return result;
}

// The numbers were worked out by an independent program (Python integers) from the definitions.
TEST(AugmentationTest, IsTheSameOnEveryMachine) {
  const auto change = draw_augmentation(all_augmentations, 7, 3, 12345, 1);
  EXPECT_FALSE(change.hflip);
  EXPECT_DOUBLE_EQ(change.degrees, 30 * 0.013497410731293513);
  EXPECT_DOUBLE_EQ(change.translate_x, 0.1 * 0.12068493837795136);
  EXPECT_DOUBLE_EQ(change.translate_y, 0.1 * -0.6938991438034572);
  EXPECT_DOUBLE_EQ(change.scale, 1 + 0.2 * 0.056932906132989736);
  EXPECT_DOUBLE_EQ(change.brightness, 0.3 * 0.4505199920823417);
  EXPECT_DOUBLE_EQ(change.contrast, 1 + 0.4 * 0.32546999918548125);
}

TEST(AugmentationTest, DiffersByEachOfWhatItIsDrawnFrom) {
  const auto degrees = [](std::uint64_t seed, int epoch, std::int64_t index, std::int64_t time) {
    return draw_augmentation(all_augmentations, seed, epoch, index, time).degrees;
  };
  std::vector<double> drawn{degrees(0, 0, 0, 0), degrees(1, 0, 0, 0), degrees(0, 1, 0, 0),
                            degrees(0, 0, 1, 0), degrees(0, 0, 0, 1)};
  EXPECT_EQ(drawn.front(), degrees(0, 0, 0, 0));
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
}

TEST(AugmentationTest, StaysWithinItsBoundsAndFillsThem) {
  constexpr int count = 20000;
  const std::vector<std::pair<double, std::function<double(const Augmentation&)>>> parts{
      {30, [](const auto& c) { return c.degrees; }},
      {0.1, [](const auto& c) { return c.translate_x; }},
      {0.1, [](const auto& c) { return c.translate_y; }},
      {0.2, [](const auto& c) { return c.scale - 1; }},
      {0.3, [](const auto& c) { return c.brightness; }},
      {0.4, [](const auto& c) { return c.contrast - 1; }}};
  std::vector<Augmentation> changes;
  for (int i = 0; i < count; ++i)
    changes.push_back(draw_augmentation(all_augmentations, 5, 2, i, 0));
  for (const auto& [most, part] : parts) {
    // A uniform distribution on [-most, most] has ten equal tenths: 2000 each, give or take 42.
    std::vector<int> tenths(10);
    for (const auto& change : changes) {
      const double place = (part(change) / most + 1) * 5;
      ASSERT_GE(place, -1e-9);
      ASSERT_LE(place, 10 + 1e-9);
      ++tenths[static_cast<std::size_t>(std::clamp(place, 0.0, 9.0))];
    }
    EXPECT_THAT(tenths, Each(::testing::AllOf(::testing::Gt(1800), ::testing::Lt(2200)))) << most;
  }
  const auto mirrored = std::count_if(changes.begin(), changes.end(),
                                      [](const auto& change) { return change.hflip; });
  EXPECT_NEAR(static_cast<double>(mirrored), count / 2.0, 300);
}

TEST(AugmentationTest, DrawsEachPartWhateverElseIsOn) {
  const auto all = draw_augmentation(all_augmentations, 1, 1, 1, 0);
  EXPECT_EQ(draw_augmentation({.degrees = 30}, 1, 1, 1, 0).degrees, all.degrees);
  EXPECT_EQ(draw_augmentation({.shift = 0.1}, 1, 1, 1, 0).translate_y, all.translate_y);
  EXPECT_EQ(draw_augmentation({.zoom = 0.2}, 1, 1, 1, 0).scale, all.scale);
  EXPECT_EQ(draw_augmentation({.contrast = 0.4}, 1, 1, 1, 0).contrast, all.contrast);
  const auto none = draw_augmentation({}, 1, 1, 1, 0);
  EXPECT_FALSE(none.hflip || none.moves() || none.contrast != 1 || none.brightness != 0);
}

TEST(AugmentOptionsTest, KnowsWhetherAnythingIsOn) {
  EXPECT_FALSE(AugmentOptions{}.any());
  for (const AugmentOptions& options :
       {AugmentOptions{.flip = true}, AugmentOptions{.degrees = 1}, AugmentOptions{.shift = 0.1},
        AugmentOptions{.zoom = 0.1}, AugmentOptions{.brightness = 0.1},
        AugmentOptions{.contrast = 0.1}}) {
    EXPECT_TRUE(options.any());
    EXPECT_NO_THROW(validate(options));
  }
}

TEST(AugmentOptionsTest, NamesWhatIsOutOfRange) {
  const auto refuses = [](const AugmentOptions& options, const char* name) {
    EXPECT_THAT([&] { validate(options); }, ThrowsWith<UsageError>(name));
  };
  refuses({.degrees = 181}, "--augment-degrees 181: must be 0 to 180");
  refuses({.degrees = -1}, "--augment-degrees");
  refuses({.shift = 0.6}, "--augment-shift");
  refuses({.zoom = 1}, "--augment-zoom");
  refuses({.brightness = std::nan("")}, "--augment-brightness");
  refuses({.contrast = std::numeric_limits<double>::infinity()}, "--augment-contrast");
}

TEST(AugmentTest, CopiesWhatDoesNotChange) {
  const auto image = noise<std::uint16_t>(3 * 5 * 7);
  EXPECT_EQ(augmented(image, 5, 7, {}, 3), image);
}

TEST(AugmentTest, MirrorsEveryRowOfEveryChannel) {
  for (const int width : {1, 7, 8, 9, 23}) {
    const auto image = noise(static_cast<std::size_t>(2 * 3 * width));
    auto expected = image;
    for (auto row = expected.begin(); row != expected.end(); row += width) {
      std::reverse(row, row + width);
    }
    EXPECT_EQ(augmented(image, 3, width, {.hflip = true}, 2), expected);
  }
}

TEST(AugmentTest, TurnsClockwiseByARightAngleExactly) {
  constexpr int side = 9;
  const auto image = noise<std::uint16_t>(side * side);
  auto expected = image;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      expected[static_cast<std::size_t>(x * side + side - 1 - y)] =
          image[static_cast<std::size_t>(y * side + x)];
    }
  }
  EXPECT_EQ(augmented(image, side, side, {.degrees = 90}), expected);
  auto opposite = image;
  std::reverse(opposite.begin(), opposite.end());
  EXPECT_EQ(augmented(image, side, side, {.degrees = 180}), opposite);
}

TEST(AugmentTest, MirrorsBeforeItTurns) {
  constexpr int side = 8;
  const auto image = noise(side * side);
  const auto in_steps =
      augmented(augmented(image, side, side, {.hflip = true}), side, side, {.degrees = 90});
  EXPECT_EQ(augmented(image, side, side, {.hflip = true, .degrees = 90}), in_steps);
}

TEST(AugmentTest, MovesRightAndDownAndLeavesBlackBehind) {
  const std::vector<std::uint8_t> image{1, 2, 3, 4,  //
                                        5, 6, 7, 8};
  EXPECT_THAT(augmented(image, 2, 4, {.translate_x = 0.25}), ElementsAre(0, 1, 2, 3, 0, 5, 6, 7));
  EXPECT_THAT(augmented(image, 2, 4, {.translate_y = -0.5}), ElementsAre(5, 6, 7, 8, 0, 0, 0, 0));
  // Half a pixel: means of neighbours, half of them rounded up; the border's neighbour is black.
  EXPECT_THAT(augmented(image, 2, 4, {.translate_x = 0.125}), ElementsAre(1, 2, 3, 4, 3, 6, 7, 8));
}

TEST(AugmentTest, EnlargesAboutTheCentre) {
  const std::vector<std::uint8_t> image{0, 0, 0, 0, 0,  //
                                        0, 9, 8, 7, 0,  //
                                        0, 6, 5, 4, 0,  //
                                        0, 3, 2, 1, 0,  //
                                        0, 0, 0, 0, 0};
  EXPECT_THAT(
      augmented(image, 5, 5, {.scale = 2}),
      ElementsAre(9, 9, 8, 8, 7, 8, 7, 7, 6, 6, 6, 6, 5, 5, 4, 5, 4, 4, 3, 3, 3, 3, 2, 2, 1));
}

TEST(AugmentTest, CutsBrightnessOffAtBothEnds) {
  const std::vector<std::uint8_t> image{0, 10, 100, 200, 255};
  EXPECT_THAT(augmented(image, 1, 5, {.contrast = 1.5}), ElementsAre(0, 15, 150, 255, 255));
  EXPECT_THAT(augmented(image, 1, 5, {.brightness = 0.2}), ElementsAre(51, 61, 151, 251, 255));
  EXPECT_THAT(augmented(image, 1, 5, {.contrast = 2, .brightness = -0.2}),
              ElementsAre(0, 0, 149, 255, 255));
  const std::vector<std::uint16_t> wide{0, 1000, 65535};
  EXPECT_THAT(augmented(wide, 1, 3, {.brightness = 0.2}), ElementsAre(13107, 14107, 65535));
}

TEST(AugmentTest, BrightensTheBlackItLeavesBehindLikeAnyOther) {
  const std::vector<std::uint8_t> image(16, 100);
  const auto result = augmented(image, 4, 4, {.translate_x = 0.5, .brightness = 0.2});
  EXPECT_THAT(result,
              ElementsAre(51, 51, 151, 151, 51, 51, 151, 151, 51, 51, 151, 151, 51, 51, 151, 151));
}

// Rows are done in parts: all in the source, at its border, outside. A wrong limit would read
// outside of the image, which a sanitizer sees, or leave the 77 there was.
TEST(AugmentTest, HoldsForEverySizeAndPlace) {
  SplitMix64 random(3);
  const auto draw = [&](double most) {
    return most * (static_cast<double>(random() >> 11) * 0x1p-52 - 1);
  };
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto height = static_cast<int>(1 + draw_below(random, 20));
    const auto width = static_cast<int>(1 + draw_below(random, repeat % 10 == 0 ? 700 : 20));
    const std::vector<std::uint8_t> white(static_cast<std::size_t>(height) * width, 255);
    const Augmentation change{.hflip = repeat % 2 == 0,
                              .degrees = draw(180),
                              .translate_x = draw(repeat % 3 == 0 ? 5 : 0.5),
                              .translate_y = draw(0.5),
                              .scale = 1 + draw(0.5)};
    const auto result = augmented(white, height, width, change);
    const auto matrix = source_matrix(change, height, width);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double from_x = matrix[0] * x + matrix[1] * y + matrix[2];
        const double from_y = matrix[3] * x + matrix[4] * y + matrix[5];
        // White with a black surrounding, interpolated, falls off to 0 within a pixel.
        const double share = std::clamp(std::min(from_x + 1, width - from_x), 0.0, 1.0) *
                             std::clamp(std::min(from_y + 1, height - from_y), 0.0, 1.0);
        EXPECT_NEAR(result[static_cast<std::size_t>(y) * width + x], 255 * share, 0.6)
            << height << " x " << width << ", repeat " << repeat;
      }
    }
  }
}

TEST(AugmentTest, LeavesASinglePixelWhereItIs) {
  EXPECT_THAT(augmented<std::uint8_t>({200}, 1, 1, {.degrees = 45, .scale = 1.3}),
              ElementsAre(200));
}

}  // namespace
}  // namespace mpbench::data

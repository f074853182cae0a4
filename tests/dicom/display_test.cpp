#include "mpbench/dicom/display.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mpbench/core/error.hpp"
#include "support/matchers.hpp"

namespace mpbench::dicom {
namespace {

// Expected values are computed by hand from the formulas of PS3.3 C.11, not by this program.

template <typename Sample>
DecodedFrame image_of(std::vector<Sample> values) {
  DecodedFrame image;
  image.path = "image.dcm";
  image.pixels = cv::Mat(values, true).reshape(1, 1);
  image.attributes.rows = 1;
  image.attributes.columns = static_cast<int>(values.size());
  image.attributes.is_signed = std::is_signed_v<Sample>;
  image.attributes.bits_allocated = image.attributes.bits_stored = 8 * sizeof(Sample);
  image.attributes.photometric_interpretation = "MONOCHROME2";
  return image;
}

std::vector<float> values_of(const cv::Mat& picture) {
  EXPECT_EQ(picture.type(), CV_32FC1);
  return picture.reshape(1, 1);
}

std::vector<float> displayed(const DecodedFrame& image) {
  return values_of(to_display(image).pixels);
}

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-6) << i;
}

using Unsigned = std::vector<std::uint16_t>;
using Signed = std::vector<std::int16_t>;

TEST(ModalityTest, IsIdentityWithoutAttributes) {
  expect_near(values_of(to_modality(image_of(Signed{-5, 0, 7}))), {-5, 0, 7});
}

TEST(ModalityTest, AppliesFractionalSlopeAndIntercept) {
  DecodedFrame image = image_of(Unsigned{0, 3, 4095});
  image.attributes.rescale_slope = 0.25;
  image.attributes.rescale_intercept = -10;
  expect_near(values_of(to_modality(image)), {-10, -9.25, 1013.75});
}

TEST(ModalityTest, RefusesSlopeZeroAndText) {
  DecodedFrame image = image_of(Unsigned{1});
  image.attributes.rescale_slope = 0;
  EXPECT_THROW(to_modality(image), InputError);
  EXPECT_THROW(to_display(image), InputError);
  image.attributes.rescale_slope = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(to_modality(image), InputError);
}

TEST(ModalityTest, TableHoldsItsEndsBeyondItsRange) {
  DecodedFrame image = image_of(Signed{-9, -2, -1, 0, 50});
  image.attributes.modality_lut = LookupTable{-2, 16, {10, 20, 40}, ""};
  image.attributes.rescale_slope = 0;  // a table takes the place of slope and intercept
  expect_near(values_of(to_modality(image)), {10, 10, 20, 40, 40});
}

TEST(ModalityTest, EmptyTableIsIdentity) {
  DecodedFrame image = image_of(Unsigned{3, 4});
  image.attributes.modality_lut = LookupTable{};
  expect_near(values_of(to_modality(image)), {3, 4});
}

TEST(ModalityTest, RefusesColour) {
  DecodedFrame image = image_of(Unsigned{3, 4, 5});
  image.attributes.photometric_interpretation = "RGB";
  EXPECT_THAT([&] { to_modality(image); },
              ThrowsInputError("image.dcm", "PhotometricInterpretation"));
}

TEST(DisplayTest, LinearFollowsC11_2_1_2) {
  // c = 100, w = 11: 0 up to 94.5, 1 above 104.5, between (x - 99.5) / 10 + 0.5.
  DecodedFrame image = image_of(Unsigned{94, 95, 99, 100, 104, 105});
  image.attributes.windows = {{100, 11, ""}};
  expect_near(displayed(image), {0, 0.05, 0.45, 0.55, 0.95, 1});
  EXPECT_EQ(to_display(image).window, "window 1 of 1: 100/11 LINEAR");
}

TEST(DisplayTest, StandardExampleOfPs33) {
  // PS3.3 C.11.2.1.2.1, note: c = 2048, w = 4096 spans 0 to 4095; w = 1 at c = 2048 is a threshold:
  // up to 2047.5 the least output, above it the greatest.
  DecodedFrame image = image_of(Unsigned{0, 4095});
  image.attributes.windows = {{2048, 4096, ""}};
  expect_near(displayed(image), {0, 1});
  image = image_of(Unsigned{2047, 2048});
  image.attributes.windows = {{2048, 1, ""}};
  expect_near(displayed(image), {0, 1});
}

TEST(DisplayTest, LinearExactFollowsC11_2_1_3_2) {
  // c = 100, w = 10: 0 up to 95, 1 above 105, between (x - 100) / 10 + 0.5.
  DecodedFrame image = image_of(Unsigned{95, 96, 100, 105, 106});
  image.attributes.windows = {{100, 10, ""}};
  image.attributes.voi_function = VoiFunction::linear_exact;
  expect_near(displayed(image), {0, 0.1, 0.5, 1, 1});
}

TEST(DisplayTest, LinearExactTakesWidthsBelowOne) {
  DecodedFrame image = image_of(Unsigned{1, 2, 3});
  image.attributes.windows = {{2, 0.5, ""}};
  image.attributes.voi_function = VoiFunction::linear_exact;
  expect_near(displayed(image), {0, 0.5, 1});
}

TEST(DisplayTest, SigmoidFollowsC11_2_1_3_1) {
  // 1 / (1 + exp(-4 (x - c) / w)): at c +- w/4 it is 1 / (1 + e^-+1).
  DecodedFrame image = image_of(Unsigned{75, 100, 125});
  image.attributes.windows = {{100, 100, ""}};
  image.attributes.voi_function = VoiFunction::sigmoid;
  expect_near(displayed(image), {0.2689414, 0.5, 0.7310586});
}

TEST(DisplayTest, WindowsLieInModalityUnits) {
  DecodedFrame image = image_of(Unsigned{1000, 1050, 1100});
  image.attributes.rescale_slope = 2;
  image.attributes.rescale_intercept = -2000;
  image.attributes.windows = {{100, 200, ""}};
  image.attributes.voi_function = VoiFunction::linear_exact;
  expect_near(displayed(image), {0, 0.5, 1});
}

TEST(DisplayTest, UsesTheFirstOfSeveralWindows) {
  DecodedFrame image = image_of(Unsigned{0, 50, 100});
  image.attributes.windows = {{50, 100, "NORMAL"}, {10, 20, "HARDER"}};
  image.attributes.voi_function = VoiFunction::linear_exact;
  expect_near(displayed(image), {0, 0.5, 1});
  EXPECT_EQ(to_display(image).window, "window 1 of 2: 50/100 LINEAR_EXACT");
}

TEST(DisplayTest, WindowAndTableAreNeverBothApplied) {
  DecodedFrame image = image_of(Unsigned{0, 100});
  image.attributes.windows = {{50, 100, ""}};
  image.attributes.voi_function = VoiFunction::linear_exact;
  image.attributes.voi_luts = {LookupTable{0, 8, {7}, ""}};
  expect_near(displayed(image), {0, 1});
}

TEST(DisplayTest, InvalidWindowsFallBackToMinMaxAndSaySo) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [window, reason] :
       std::vector<std::pair<Window, std::string>>{{{10, 0, ""}, "width 0"},
                                                   {{10, -4, ""}, "width -4"},
                                                   {{10, 0.5, ""}, "width 0.5"},
                                                   {{10, nan, ""}, "width nan"},
                                                   {{nan, 10, ""}, "center nan"}}) {
    DecodedFrame image = image_of(Unsigned{10, 15, 30});
    image.attributes.windows = {window};
    expect_near(displayed(image), {0, 0.25, 1});
    EXPECT_EQ(to_display(image).window, "min-max: invalid window (" + reason + ")");
  }
}

TEST(DisplayTest, UnknownFunctionFallsBackToMinMax) {
  DecodedFrame image = image_of(Unsigned{10, 30});
  image.attributes.windows = {{500, 10, ""}};
  image.attributes.unknown_voi_function = "LOG";
  expect_near(displayed(image), {0, 1});
  EXPECT_EQ(to_display(image).window, "min-max: invalid window (unknown VOI LUT function 'LOG')");
}

TEST(DisplayTest, TableEntriesAreScaledByTheirBits) {
  DecodedFrame image = image_of(Unsigned{0, 5, 6, 7, 99});
  image.attributes.voi_luts = {LookupTable{5, 8, {0, 51, 255}, ""}, LookupTable{0, 16, {1}, ""}};
  expect_near(displayed(image), {0, 0, 0.2, 1, 1});
  EXPECT_EQ(to_display(image).window, "VOI LUT 1 of 2");
}

TEST(DisplayTest, EmptyTableFallsBackToMinMax) {
  DecodedFrame image = image_of(Unsigned{10, 15, 30});
  image.attributes.voi_luts = {LookupTable{}};
  expect_near(displayed(image), {0, 0.25, 1});
  EXPECT_EQ(to_display(image).window, "min-max: invalid VOI LUT");
}

TEST(DisplayTest, InvertsOnceWhicheverWayItIsAskedFor) {
  const std::vector<double> kept{0, 0.25, 1};
  const std::vector<double> inverted{1, 0.75, 0};
  struct Case {
    const char* photometric;
    const char* shape;
    bool is_inverted;
  };
  for (const Case& one :
       {Case{"MONOCHROME1", "", true}, Case{"MONOCHROME1", "IDENTITY", true},
        Case{"MONOCHROME1", "INVERSE", true}, Case{"MONOCHROME2", "", false},
        Case{"MONOCHROME2", "IDENTITY", false}, Case{"MONOCHROME2", "INVERSE", true}}) {
    DecodedFrame image = image_of(Unsigned{10, 15, 30});
    image.attributes.photometric_interpretation = one.photometric;
    image.attributes.presentation_lut_shape = one.shape;
    SCOPED_TRACE(std::string(one.photometric) + " " + one.shape);
    expect_near(displayed(image), one.is_inverted ? inverted : kept);
  }
}

TEST(DisplayTest, PaddingIsBlackAndKeptOutOfMinMax) {
  DecodedFrame image = image_of(Signed{-2000, 10, 15, 30});
  image.attributes.photometric_interpretation = "MONOCHROME1";
  image.attributes.padding_value = -2000;
  const DisplayImage display = to_display(image);
  expect_near(values_of(display.pixels), {0, 1, 0.75, 0});
}

TEST(DisplayTest, PaddingRangeIsOfStoredValuesInEitherOrder) {
  DecodedFrame image = image_of(Unsigned{60000, 65000, 65535, 0, 100});
  image.attributes.rescale_slope = 0.5;
  image.attributes.padding_value = 65535;
  image.attributes.padding_range_limit = 65000;
  const DisplayImage display = to_display(image);
  expect_near(values_of(display.pixels), {1, 0, 0, 0, 100.0 / 60000});
}

TEST(DisplayTest, ConstantImageIsBlack) {
  DecodedFrame image = image_of(Unsigned{7, 7});
  image.attributes.photometric_interpretation = "MONOCHROME1";
  expect_near(displayed(image), {0, 0});
  EXPECT_EQ(to_display(image).window, "min-max: no window, constant image");
}

TEST(DisplayTest, TakesEveryDepth) {
  for (DecodedFrame image :
       {image_of(std::vector<std::uint8_t>{0, 64, 128}),
        image_of(std::vector<std::int8_t>{-128, -64, 0}), image_of(Unsigned{0, 30000, 60000}),
        image_of(Signed{-30000, 0, 30000})}) {
    expect_near(displayed(image), {0, 0.5, 1});
  }
}

}  // namespace
}  // namespace mpbench::dicom

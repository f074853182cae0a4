#include "mpbench/tensorboard/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace mpbench::tensorboard {
namespace {

using testing::ElementsAre;

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float largest_float = std::numeric_limits<float>::max();

TEST(HistogramTest, SumsUpFiniteValuesAndCountsTheOthers) {
  const std::vector<float> values{1, 1, -2, 0, std::nanf(""), infinity, -infinity};
  const Histogram histogram = histogram_of(values);
  EXPECT_EQ(histogram.count, 4);
  EXPECT_EQ(histogram.not_finite, 3);
  EXPECT_EQ(histogram.smallest, -2);
  EXPECT_EQ(histogram.largest, 1);
  EXPECT_EQ(histogram.sum, 0);
  EXPECT_EQ(histogram.sum_of_squares, 6);
  // -2, nothing up to around 0, the bucket around 0, nothing up to 1, 1.
  EXPECT_THAT(histogram.limits, ElementsAre(-2, -0x1p-40, 0x1p-40, 1, 1.125));
  EXPECT_THAT(histogram.counts, ElementsAre(1, 0, 1, 0, 2));
}

TEST(HistogramTest, OfNoFiniteValueHasNoBucket) {
  for (const std::vector<float>& values :
       {std::vector<float>{}, std::vector<float>{infinity, std::nanf("")}}) {
    const Histogram histogram = histogram_of(values);
    EXPECT_EQ(histogram.count, 0);
    EXPECT_EQ(histogram.not_finite, static_cast<std::int64_t>(values.size()));
    EXPECT_TRUE(histogram.limits.empty());
    EXPECT_TRUE(histogram.counts.empty());
  }
}

TEST(HistogramTest, HoldsTheWholeRangeOfFloats) {
  const std::vector<float> values{-largest_float, -std::numeric_limits<float>::denorm_min(), 0,
                                  std::numeric_limits<float>::min(), largest_float};
  const Histogram histogram = histogram_of(values);
  EXPECT_EQ(histogram.count, 5);
  EXPECT_THAT(histogram.counts, ElementsAre(1, 0, 3, 0, 1));
  EXPECT_LT(histogram.limits.front(), 0);
  EXPECT_EQ(histogram.limits.back(), 0x1p128);
  EXPECT_TRUE(std::isfinite(histogram.sum_of_squares));
}

TEST(HistogramTest, EveryValueIsBetweenTheEndsOfItsBucket) {
  std::mt19937 chance(3);
  std::vector<float> values;
  std::normal_distribution<float> exponent(-8, 4);
  std::bernoulli_distribution negative(0.4);
  for (int i = 0; i < 20000; ++i) {
    values.push_back(std::exp2(exponent(chance)) * (negative(chance) ? -1.0F : 1.0F));
  }
  const Histogram histogram = histogram_of(values);
  ASSERT_EQ(histogram.limits.size(), histogram.counts.size());
  EXPECT_TRUE(std::is_sorted(histogram.limits.begin(), histogram.limits.end()));
  EXPECT_EQ(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0}),
            20000);
  std::int64_t below = 0;
  for (std::size_t i = 0; i < histogram.limits.size(); ++i) {
    below += histogram.counts[i];
    const double limit = histogram.limits[i];
    // Where two buckets meet is part of the one that lies farther from 0.
    EXPECT_EQ(
        std::count_if(values.begin(), values.end(),
                      [&](float value) { return limit < 0 ? value <= limit : value < limit; }),
        below)
        << "below " << limit;
    if (i > 0 && histogram.counts[i] > 0 && histogram.limits[i - 1] > 0x1p-40) {
      EXPECT_LE(histogram.limits[i] / histogram.limits[i - 1], 1.125);
    }
  }
}

}  // namespace
}  // namespace mpbench::tensorboard

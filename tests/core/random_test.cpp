#include "mpbench/core/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpbench {
namespace {

TEST(SplitMix64Test, GivesThePublishedSequence) {
  // The values commonly published for seed 1234567.
  SplitMix64 random(1234567);
  const std::vector<std::uint64_t> drawn{random(), random(), random(), random(), random()};
  EXPECT_THAT(drawn,
              testing::ElementsAre(6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                   4593380528125082431U, 16408922859458223821U));
}

TEST(SplitMix64Test, GivesAValueAtAPlace) {
  SplitMix64 random(1234567);
  for (std::uint64_t place = 1; place < 5; ++place) {
    EXPECT_EQ(split_mix_at(1234567, place), random());
  }
}

TEST(MixSeedTest, StaysAsItWas) {
  // Splits, the order of images and augmentation are drawn from it.
  EXPECT_EQ(mix_seed(1, 2), SplitMix64(SplitMix64(1)() ^ (2 * 0xD1342543DE82EF95U + 1))());
  EXPECT_NE(mix_seed(1, 2), mix_seed(2, 1));
}

TEST(DrawBelowTest, DrawsAgainPastTheLastWholeRange) {
  // 2^64 - 1 lies in the incomplete last range of 3: the next value counts.
  std::vector<std::uint64_t> values{UINT64_MAX, 7};
  std::size_t place = 0;
  const auto generator = [&] { return values[place++]; };
  EXPECT_EQ(draw_below(generator, 3), 1U);
  EXPECT_EQ(place, 2U);
}

}  // namespace
}  // namespace mpbench

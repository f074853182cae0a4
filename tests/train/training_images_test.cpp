#include "mpbench/train/training_images.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "mpbench/train/setup.hpp"
#include "support/toy_images.hpp"

namespace mpbench::train {
namespace {

std::vector<std::uint8_t> stored(const data::ImageDataset& set, std::int64_t index) {
  std::vector<std::uint8_t> values;
  for (const std::byte byte : set.image(index)) {
    values.push_back(std::to_integer<std::uint8_t>(byte));
  }
  return values;
}

TEST(TrainingImagesTest, AreThoseOfTheSplitAsTheyAreStored) {
  const data::ImageDataset set = toy_images(64);
  const TrainConfig config{.batch_size = 16, .device = "cpu"};
  const data::Split split = make_split(config, set);
  const auto shown = first_training_images(config, set, split, 8);
  ASSERT_EQ(shown.size(), 8U);
  std::set<std::int64_t> found;
  for (const TrainingImage& image : shown) {
    for (const std::int64_t index : split.train) {
      if (stored(set, index) != image.pixels) continue;
      EXPECT_EQ(set.samples[static_cast<std::size_t>(index)].label, image.label);
      found.insert(index);
    }
  }
  EXPECT_EQ(found.size(), 8U);
  EXPECT_TRUE(std::any_of(shown.begin(), shown.end(), [](const TrainingImage& image) {
    return image.label == 1;
  })) << "a batch of two classes has a positive";
}

TEST(TrainingImagesTest, AreAugmented) {
  const data::ImageDataset set = toy_images(64);
  TrainConfig config{.batch_size = 16, .device = "cpu"};
  const data::Split split = make_split(config, set);
  const auto plain = first_training_images(config, set, split, 4);
  config.augment.brightness = 0.5;
  const auto varied = first_training_images(config, set, split, 4);
  ASSERT_EQ(varied.size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NE(varied[i].pixels, plain[i].pixels);
}

TEST(TrainingImagesTest, HaveTheirChannelsTogether) {
  data::ImageDataset set = toy_images(32);
  set.channels = 4;  // [C, H, W] of 4 x 8 x 8 in the same bytes
  set.height = set.width = 8;
  const TrainConfig config{.batch_size = 4, .device = "cpu"};
  const data::Split split = make_split(config, set);
  const TrainingImage shown = first_training_images(config, set, split, 1).at(0);
  for (const std::int64_t index : split.train) {
    std::vector<std::uint8_t> interleaved;
    const auto planes = stored(set, index);
    for (std::size_t pixel = 0; pixel < 64; ++pixel) {
      for (std::size_t channel = 0; channel < 4; ++channel) {
        interleaved.push_back(planes[channel * 64 + pixel]);
      }
    }
    if (interleaved == shown.pixels) return;
  }
  FAIL() << "no image of the split has these values";
}

TEST(TrainingImagesTest, AreNoMoreThanABatch) {
  const data::ImageDataset set = toy_images(64);
  const TrainConfig config{.batch_size = 3, .device = "cpu"};
  EXPECT_EQ(first_training_images(config, set, make_split(config, set), 8).size(), 3U);
}

}  // namespace
}  // namespace mpbench::train

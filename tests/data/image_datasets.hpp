#pragma once

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::data {

/// `count` images whose every value says where it stands; image i is positive when i %
/// positive_every == 0, and two images make a patient.
template <typename Pixel>
ImageDataset make_images(int count, int channels, int height, int width, int positive_every) {
  ImageDataset set;
  set.dataset = "rsna";
  set.channels = channels;
  set.height = height;
  set.width = width;
  set.pixel_type = sizeof(Pixel) == 1 ? PixelType::u8 : PixelType::u16;
  set.classes = {"negative", "cancer"};
  auto pixels = std::make_shared<std::vector<Pixel>>();
  for (int i = 0; i < count; ++i) {
    set.samples.push_back({fmt::format("{}", i), fmt::format("p{}", i / 2),
                           fmt::format("p{}_L", i / 2), i % positive_every == 0 ? 1 : 0});
  }
  const int values = channels * height * width;
  for (int i = 0; i < count * values; ++i) pixels->push_back(static_cast<Pixel>(i * 7919));
  set.pixels = std::as_bytes(std::span(*pixels));
  set.storage = std::move(pixels);
  set.key = "test";
  return set;
}

}  // namespace mpbench::data

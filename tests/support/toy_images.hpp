#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mpbench/data/image_dataset.hpp"

namespace mpbench::train {

/// `count` images of 16x16 in two classes that a network can tell apart: positives carry a bright
/// square. Two images a patient.
inline data::ImageDataset toy_images(int count) {
  constexpr int side = 16;
  auto pixels =
      std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(count * side * side));
  data::ImageDataset set{.dataset = "toy",
                         .height = side,
                         .width = side,
                         .classes = {"negative", "cancer"},
                         .key = "toy"};
  unsigned state = 1;
  for (int i = 0; i < count; ++i) {
    const int label = i / 2 % 2;
    for (int p = 0; p < side * side; ++p) {
      state = state * 1664525U + 1013904223U;
      const bool in_square =
          label == 1 && p / side >= 4 && p / side < 10 && p % side >= 4 && p % side < 10;
      (*pixels)[static_cast<std::size_t>(i * side * side + p)] =
          static_cast<std::byte>((state >> 25U) + (in_square ? 90U : 0U));
    }
    const std::string patient = std::to_string(i / 2);
    set.samples.push_back(
        {.id = std::to_string(i), .group = patient, .case_id = patient + "_L", .label = label});
  }
  set.pixels = *pixels;
  set.storage = pixels;
  return set;
}

}  // namespace mpbench::train

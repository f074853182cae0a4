#pragma once

#include <cstdint>
#include <vector>

#include "mpbench/data/image_dataset.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::train {

/// An image that the network trains on.
struct TrainingImage {
  int label = 0;                     ///< index into ImageDataset::classes
  std::vector<std::uint8_t> pixels;  ///< [H, W, C] row-major; 255 stands for 1
};

/// The first images of a run's first epoch, to look at: augmented, and not normalised. Up to `most`
/// of them and a batch, and fewer where they are large. Where positives are balanced, one of them
/// is a positive, as in a batch of so many.
std::vector<TrainingImage> first_training_images(const TrainConfig& config,
                                                 const data::ImageDataset& set,
                                                 const data::Split& split, int most);

}  // namespace mpbench::train

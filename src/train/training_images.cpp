#include "mpbench/train/training_images.hpp"

#include <torch/types.h>

#include <algorithm>

#include "mpbench/data/loader.hpp"
#include "mpbench/train/setup.hpp"

namespace mpbench::train {
namespace {

// As float32, 16 MiB.
constexpr std::int64_t most_values = 1 << 22;

}  // namespace

std::vector<TrainingImage> first_training_images(const TrainConfig& config,
                                                 const data::ImageDataset& set,
                                                 const data::Split& split, int most) {
  const std::int64_t values = set.image_values();
  data::LoaderOptions options =
      training_loader_options(loader_options(config, torch::kCPU, {}), config,
                              task_of(static_cast<int>(set.classes.size())), split.train.size());
  options.workers = 0;
  options.channels_last = true;
  options.batch_size = static_cast<int>(
      std::clamp<std::int64_t>(most_values / values, 1, std::min(most, config.batch_size)));
  data::Loader loader(set, split.train, options);
  loader.start_epoch(0);
  const std::optional<data::Batch> batch = loader.next();
  std::vector<TrainingImage> images;
  if (!batch) return images;
  const torch::Tensor pixels =
      batch->images.permute({0, 2, 3, 1}).mul(255).round().to(torch::kUInt8).contiguous();
  const auto* labels = batch->labels.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < pixels.size(0); ++i) {
    const auto* begin = pixels.const_data_ptr<std::uint8_t>() + i * values;
    images.push_back({.label = static_cast<int>(labels[i]),
                      .pixels = std::vector<std::uint8_t>(begin, begin + values)});
  }
  return images;
}

}  // namespace mpbench::train

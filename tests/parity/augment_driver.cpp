// Batches of a loader that augments, and the parameters that were drawn: one JSON object on stdin,
// one on stdout. augment_parity_test.py makes the same images from them with SciPy and torchvision.
#include <torch/types.h>

#include <map>

#include "driver.hpp"
#include "mpbench/data/augment.hpp"
#include "mpbench/data/loader.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::augment_driver {
namespace {

data::AugmentOptions augment_options(const json& spec) {
  return {.flip = spec.value("flip", false),
          .degrees = spec.value("degrees", 0.0),
          .shift = spec.value("shift", 0.0),
          .zoom = spec.value("zoom", 0.0),
          .brightness = spec.value("brightness", 0.0),
          .contrast = spec.value("contrast", 0.0)};
}

/// `pixels`: [N, C, H, W] of uint8 or uint16 values.
data::ImageDataset image_dataset(const json& spec) {
  const bool wide = spec.at("bits") == 16;
  const auto pixels =
      to_tensor(spec.at("pixels"), torch::kInt32).to(wide ? torch::kUInt16 : torch::kUInt8);
  data::ImageDataset set;
  set.channels = static_cast<int>(pixels.size(1));
  set.height = static_cast<int>(pixels.size(2));
  set.width = static_cast<int>(pixels.size(3));
  set.pixel_type = wide ? data::PixelType::u16 : data::PixelType::u8;
  set.classes = {"negative", "positive"};
  for (std::int64_t i = 0; i < pixels.size(0); ++i) {
    const auto name = std::to_string(i);
    set.samples.push_back({name, name, name, i < spec.at("positives").get<int>() ? 1 : 0});
  }
  auto kept = std::make_shared<torch::Tensor>(pixels);
  set.pixels = {static_cast<const std::byte*>(kept->data_ptr()), kept->nbytes()};
  set.storage = std::move(kept);
  return set;
}

json parameters(const data::Augmentation& change) {
  return {{"mirrored", change.hflip},      {"degrees", change.degrees},
          {"shift_x", change.translate_x}, {"shift_y", change.translate_y},
          {"zoom", change.scale},          {"gain", change.contrast},
          {"offset", change.brightness}};
}

json load(const json& script) {
  const auto set = image_dataset(script);
  data::LoaderOptions options;
  options.batch_size = script.at("batch_size");
  options.shuffle = true;
  options.balance_positives = script.at("positives") > 0;
  options.augment = augment_options(script.at("augment"));
  options.workers = script.at("workers");
  options.seed = script.at("seed");
  options.normalization = {{script.at("mean").get<float>()}, {script.at("deviation").get<float>()}};
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < set.size(); ++i) indices.push_back(i);

  data::Loader loader(set, indices, options);
  const int epoch = script.at("epoch");
  loader.start_epoch(epoch);
  json images = json::array();
  std::map<std::int64_t, std::int64_t> times;
  while (const auto batch = loader.next()) {
    for (std::size_t i = 0; i < batch->indices.size(); ++i) {
      const auto index = batch->indices[i];
      const auto time = times[index]++;
      images.push_back({{"index", index},
                        {"occurrence", time},
                        {"drawn", parameters(data::draw_augmentation(options.augment, options.seed,
                                                                     epoch, index, time))},
                        {"values", to_json(batch->images[static_cast<std::int64_t>(i)])}});
    }
  }
  return images;
}

}  // namespace

const Driver driver("augment", load);

}  // namespace mpbench::parity::augment_driver

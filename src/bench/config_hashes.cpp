#include "mpbench/bench/config_hashes.hpp"

#include <torch/types.h>

#include <set>

#include "mpbench/train/setup.hpp"

namespace mpbench::bench {

namespace {

ValidationPatients patients_of(const data::ImageDataset& images, const data::Split& split) {
  std::set<std::string> all;
  std::set<std::string> positive;
  for (const std::int64_t index : split.validation) {
    const data::Sample& sample = images.samples[static_cast<std::size_t>(index)];
    all.insert(sample.group);
    if (sample.label != 0) positive.insert(sample.group);
  }
  return {.positive = static_cast<int>(positive.size()),
          .negative = static_cast<int>(all.size() - positive.size()),
          .classes = static_cast<int>(images.classes.size())};
}

}  // namespace

const ConfigHashes::Data& ConfigHashes::data(const train::TrainConfig& config) {
  std::string images;
  for (const char* option : {"dataset", "data", "limit", "image-size", "split", "split-seed",
                             "validation-fraction", "folds", "fold"}) {
    images += train::option_toml(config, option) + '\n';
  }
  Data& data = data_[images];
  if (data.key.empty()) {
    const data::ImageDataset set = train::open_images(config, progress_);
    data = {.key = set.key, .patients = patients_of(set, train::make_split(config, set))};
  }
  return data;
}

const std::string& ConfigHashes::data_key(const train::TrainConfig& config) {
  return data(config).key;
}

const ValidationPatients& ConfigHashes::validation_patients(const train::TrainConfig& config) {
  return data(config).patients;
}

std::string ConfigHashes::hash(const train::TrainConfig& config) {
  const auto [digest, is_new] = weights_digests_.try_emplace(config.weights.string());
  if (is_new) digest->second = train::weights_digest(config);
  return train::config_hash(config, data_key(config), digest->second);
}

}  // namespace mpbench::bench

#include "mpbench/bench/config_hashes.hpp"

#include <torch/types.h>

#include "mpbench/train/setup.hpp"

namespace mpbench::bench {

const std::string& ConfigHashes::data_key(const train::TrainConfig& config) {
  std::string images;
  for (const char* option : {"dataset", "data", "limit", "image-size"}) {
    images += train::option_toml(config, option) + '\n';
  }
  std::string& key = data_keys_[images];
  if (key.empty()) key = train::open_images(config, progress_).key;
  return key;
}

std::string ConfigHashes::hash(const train::TrainConfig& config) {
  const auto [digest, is_new] = weights_digests_.try_emplace(config.weights.string());
  if (is_new) digest->second = train::weights_digest(config);
  return train::config_hash(config, data_key(config), digest->second);
}

}  // namespace mpbench::bench

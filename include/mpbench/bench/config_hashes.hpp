#pragma once

#include <functional>
#include <map>
#include <string>

#include "mpbench/core/progress.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::bench {

/// A run's train::config_hash.
using ConfigHash = std::function<std::string(const train::TrainConfig& config)>;

/// train::config_hash of the runs of one comparison, whose data and weights are opened once each.
class ConfigHashes {
 public:
  explicit ConfigHashes(ProgressFunction progress) : progress_(std::move(progress)) {}

  /// The key of a run's data. Where they have to be prepared first, this makes their cache, so that
  /// no run pays for it.
  const std::string& data_key(const train::TrainConfig& config);
  /// Throws as train::config_hash and train::open_images do.
  std::string hash(const train::TrainConfig& config);

 private:
  ProgressFunction progress_;
  std::map<std::string, std::string> data_keys_;        // by the options that choose the images
  std::map<std::string, std::string> weights_digests_;  // by --weights
};

}  // namespace mpbench::bench

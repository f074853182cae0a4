#pragma once

#include <functional>
#include <map>
#include <string>

#include "mpbench/core/progress.hpp"
#include "mpbench/train/config.hpp"

namespace mpbench::bench {

/// A run's train::config_hash.
using ConfigHash = std::function<std::string(const train::TrainConfig& config)>;

/// Who is in validation.
struct ValidationPatients {
  int positive = 0;  ///< with an image of another class than 0
  int negative = 0;  ///< without
  int classes = 0;
};

/// train::config_hash of the runs of one comparison, whose data and weights are opened once each.
class ConfigHashes {
 public:
  explicit ConfigHashes(ProgressFunction progress) : progress_(std::move(progress)) {}

  /// The key of a run's data. Where they have to be prepared first, this makes their cache, so that
  /// no run pays for it.
  const std::string& data_key(const train::TrainConfig& config);
  /// Who is in validation by the configuration's split.
  const ValidationPatients& validation_patients(const train::TrainConfig& config);
  /// Throws as train::config_hash and train::open_images do.
  std::string hash(const train::TrainConfig& config);

 private:
  ProgressFunction progress_;
  struct Data {
    std::string key;
    ValidationPatients patients;
  };
  const Data& data(const train::TrainConfig& config);

  std::map<std::string, Data> data_;                    // by the options that choose the images
  std::map<std::string, std::string> weights_digests_;  // by --weights
};

}  // namespace mpbench::bench

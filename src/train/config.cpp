#include "mpbench/train/config.hpp"

#include "mpbench/io/mapped_file.hpp"
#include "mpbench/io/sha256.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/train/ineffective_options.hpp"

namespace mpbench::train {

std::string weights_digest(const TrainConfig& config) {
  return config.weights.empty() ? "" : sha256_hex(MappedFile(config.weights).bytes());
}

std::string config_hash(const TrainConfig& config, const std::string& data_key) {
  return config_hash(config, data_key, weights_digest(config));
}

std::string config_hash(const TrainConfig& config, const std::string& data_key,
                        const std::string& digest) {
  TrainConfig content = config;
  // The same images under another path are the same experiment: the key stands for them.
  content.data.path.clear();
  // Whether states are kept changes nothing.
  content.checkpoints = true;
  content.checkpoint_steps = 0;
  content.weights = digest;
  if (!config.split.file.empty()) {
    // Likewise the split: it is what the file says that counts.
    content.split.file = sha256_hex(MappedFile(config.split.file).bytes());
  }
  std::string text = to_toml(content);
  // What earlier versions did not have is left out at its default: the rows that they wrote hold.
  // Until there was --split-seed, --seed chose the split as well.
  for (const std::string& later :
       {toml_line("cudnn-benchmark", true), toml_line("split-seed", config.seed),
        toml_line("handicap", 0.0)}) {
    if (const auto place = text.find(later); place != std::string::npos) {
      text.erase(place, later.size());
    }
  }
  return sha256_hex(text + data_key).substr(0, 12);
}

std::string pairing_hash(const TrainConfig& config, const std::string& data_key,
                         const std::string& digest) {
  const TrainConfig defaults;
  TrainConfig content = config;
  content.precision = Precision::fp32;
  content.seed = defaults.seed;
  // What only one precision uses may differ between the arms, and each arm is told only its own.
  return config_hash(without_ineffective(content), data_key, digest);
}

}  // namespace mpbench::train

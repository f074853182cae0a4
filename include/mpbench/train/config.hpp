#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "mpbench/core/precision.hpp"
#include "mpbench/data/augment.hpp"

namespace mpbench::train {

/// All that is needed to repeat a training run. Defaults are visible here; validate() checks the
/// whole once.
struct TrainConfig {
  std::string dataset = "auto";
  std::filesystem::path data;
  std::int64_t limit = 0;  ///< 0: every image
  std::string model = "cnn";
  int image_size = 0;  ///< pixels a side; 0: the dataset's own
  int batch_size = 32;
  int epochs = 5;
  std::int64_t steps = 0;  ///< stop after so many optimizer steps; 0: after the epochs
  Precision precision = Precision::fp32;
  std::string optimizer = "adam";
  double lr = 1e-3;
  double weight_decay = 0;
  std::string schedule = "constant";
  double warmup_epochs = 0;
  std::uint64_t seed = 0;
  std::string device = "auto";
  int threads = 0;  ///< 0: LibTorch's own choice
  bool channels_last = true;
  int workers = 1;
  std::string normalize = "auto";
  std::string balance = "auto";
  data::AugmentOptions augment;
  double validation_fraction = 0.2;
  int folds = 0;                ///< 0: one split, by validation_fraction
  int fold = 0;                 ///< which of the folds is for validation, from 0
  std::filesystem::path split;  ///< a split.csv; empty: the dataset's own split, or one made here
  int warmup_steps = 3;
  double init_scale = 65536;
  std::int64_t growth_interval = 2000;
};

/// Calls visit(name, member, help) for every option, in the order help shows them. The name is the
/// flag without its dashes and the key in config.toml: an option is declared here and nowhere else.
template <class Config, class Visitor>
void visit_options(Config& config, Visitor&& visit) {
  visit("dataset", config.dataset, "auto, rsna, folder, cifar100, cifar10, idx or synthetic");
  visit("data", config.data, "Dataset folder or cache file; without it, a synthetic set is made");
  visit("limit", config.limit, "Use so many images only (smoke runs); 0 is all");
  visit("model", config.model, "The network");
  visit("image-size", config.image_size, "Pixels a side; 0 is the dataset's own (rsna: 124)");
  visit("batch-size", config.batch_size, "Images a step");
  visit("epochs", config.epochs, "Passes over the training set");
  visit("steps", config.steps, "Stop after so many steps; 0 is after the epochs");
  visit("precision", config.precision, "fp32 (strict), tf32, bf16 or fp16 (with GradScaler)");
  visit("optimizer", config.optimizer, "adam, adamw or sgd");
  visit("lr", config.lr, "Learning rate");
  visit("weight-decay", config.weight_decay, "Weight decay");
  visit("schedule", config.schedule, "Learning rate over time: constant or cosine");
  visit("warmup-epochs", config.warmup_epochs, "Epochs in which the learning rate rises from 0");
  visit("seed", config.seed, "Seed of initialisation, split, order, augmentation");
  visit("device", config.device, "auto, cpu, cuda or cuda:N");
  visit("threads", config.threads, "CPU threads that compute; 0 is one a core");
  visit("channels-last", config.channels_last, "NHWC memory format, in every precision alike");
  visit("workers", config.workers,
        "Threads that prepare batches; 0 prepares them in the step's thread");
  visit("normalize", config.normalize,
        "auto (imagenet for colour, else the training set's own), imagenet, unit or none");
  visit("balance", config.balance,
        "Class imbalance: auto (positives if binary), positives, weight or none");
  visit("augment-flip", config.augment.flip, "Mirror training images, one in two by chance");
  visit("augment-degrees", config.augment.degrees, "Turn training images by up to so many degrees");
  visit("augment-shift", config.augment.shift, "Move them by up to this share of their size");
  visit("augment-zoom", config.augment.zoom, "Enlarge or shrink them by up to this share");
  visit("augment-brightness", config.augment.brightness,
        "Add or take away up to so much; values are 0 to 1");
  visit("augment-contrast", config.augment.contrast,
        "Multiply their values by 1, give or take up to so much");
  visit("validation-fraction", config.validation_fraction, "Share of patients kept for validation");
  visit("folds", config.folds, "Cross-validation: so many folds of patients; 0 is one split");
  visit("fold", config.fold, "The fold kept for validation, from 0");
  visit("split", config.split,
        "CSV that says which image is in which split (id,split) or fold (id,fold)");
  visit("warmup-steps", config.warmup_steps, "Steps before the clock starts; undone afterwards");
  visit("init-scale", config.init_scale, "GradScaler's first scale (fp16)");
  visit("growth-interval", config.growth_interval,
        "Good steps before GradScaler doubles its scale (fp16)");
}

/// Throws UsageError naming the option and its range or choices; Error for a CUDA device or a split
/// file that is not there.
void validate(const TrainConfig& config);

/// The options as TOML, in the order and under the names of the flags: `mpbench train --config`
/// reads it back.
std::string to_toml(const TrainConfig& config);

/// The first 12 hexadecimal digits of the SHA-256 of the options, the data's key and the split
/// file's content: equal for runs that can be paired as repeats. Throws Error for a split file that
/// cannot be read.
std::string config_hash(const TrainConfig& config, const std::string& data_key);

}  // namespace mpbench::train

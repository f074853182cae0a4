#include "mpbench/train/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mpbench/core/error.hpp"
#include "mpbench/core/require.hpp"
#include "mpbench/data/dataset_options.hpp"
#include "mpbench/device/device_options.hpp"
#include "mpbench/io/csv_cell.hpp"
#include "mpbench/io/toml_text.hpp"
#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/kernels/emulation_options.hpp"
#include "mpbench/kernels/instruction_set_options.hpp"
#include "mpbench/train/loss_options.hpp"

namespace mpbench::train {

namespace {

void require_dataset_name(const std::string& name) {
  std::vector<std::string_view> choices{data::DatasetOptions::automatic};
  for (const auto& one : data::dataset_names) choices.push_back(one.name);
  require_choice("--dataset", name, choices);
}

void validate_data(const TrainConfig& config) {
  require_dataset_name(config.data.dataset);
  require(config.data.limit >= 0, "--limit", config.data.limit, "0 or more");
  require(config.image_size == 0 || (config.image_size >= 16 && config.image_size <= 8192),
          "--image-size", config.image_size, "0, or 16 to 8192");
  if (const int classes = data::classes_of_dataset(config.data.dataset);
      classes > 0 && std::filesystem::is_directory(config.data.path)) {
    require_classes(config, classes);
  }
  require(config.split.validation_fraction > 0 && config.split.validation_fraction < 1,
          "--validation-fraction", config.split.validation_fraction, "between 0 and 1");
  data::validate(config.augment);
  // Now rather than after hours of preprocessing.
  if (!config.split.file.empty() && !std::filesystem::is_regular_file(config.split.file)) {
    throw InputError(config.split.file, "--split", "there is no such file");
  }
  require(config.split.folds == 0 || (config.split.folds >= 2 && config.split.folds <= 1000),
          "--folds", config.split.folds, "0, or 2 to 1000");
  require(config.split.fold >= 0 && config.split.fold < std::max(config.split.folds, 1), "--fold",
          config.split.fold,
          config.split.folds == 0 ? "0 without --folds" : "0 to the number of folds less one");
}

void validate_model(const TrainConfig& config) {
  nn::require_model_options(model_options(config, /*channels=*/1, /*classes=*/2));
  require(config.batch_size >= 1 && config.batch_size <= 1 << 20, "--batch-size", config.batch_size,
          "1 to 1048576");
  if (config.image_size > 0) {
    require_image_size(config, config.image_size, config.image_size, config.batch_size);
  }
  require(config.unfreeze_epoch >= 0, "--unfreeze-epoch", config.unfreeze_epoch, "0 or more");
  require(config.unfreeze_epoch == 0 || config.freeze_backbone, "--unfreeze-epoch",
          config.unfreeze_epoch, "0 without --freeze-backbone");
}

void validate_loss(const TrainConfig& config) {
  train::validate(config.loss);
  require(config.focal_alpha <= 1, "--focal-alpha", config.focal_alpha, "at most 1");
}

void validate_schedule(const TrainConfig& config) {
  require(config.accumulate >= 1 && config.accumulate <= 1 << 20, "--accumulate", config.accumulate,
          "1 to 1048576");
  require(config.epochs >= 1, "--epochs", config.epochs, "1 or more");
  require(config.steps >= 0, "--steps", config.steps, "0 or more");
  train::validate(config.optimizer);
  require(config.clip_norm == 0 || is_positive_float(config.clip_norm), "--clip-norm",
          config.clip_norm, fmt::format("0, or {}", positive_float_range));
  require(config.ema_decay >= 0 && config.ema_decay < 1, "--ema-decay", config.ema_decay,
          "0 or more, below 1");
  require(config.early_stop >= 0, "--early-stop", config.early_stop, "0 or more");
  require(config.checkpoint_steps >= 0, "--checkpoint-steps", config.checkpoint_steps, "0 or more");
  require(config.schedule.warmup_epochs >= 0 && config.schedule.warmup_epochs <= config.epochs,
          "--warmup-epochs", config.schedule.warmup_epochs, "0 to the number of epochs");
  require(config.schedule.min_lr >= 0 && config.schedule.min_lr <= config.optimizer.lr, "--min-lr",
          config.schedule.min_lr, "0 to --lr");
  // What TOML can hold, so that config.toml reads back.
  require(config.seed <= largest_seed, "--seed", config.seed, fmt::format("0 to {}", largest_seed));
  require(config.split.seed <= largest_seed, "--split-seed", config.split.seed,
          fmt::format("0 to {}", largest_seed));
  require(config.handicap >= 0 && config.handicap <= 10, "--handicap", config.handicap, "0 to 10");
  require(config.warmup_steps >= 0, "--warmup-steps", config.warmup_steps, "0 or more");
  require(is_positive_float(config.scaler.init_scale), "--init-scale", config.scaler.init_scale,
          positive_float_range);
  constexpr std::int64_t largest_interval = std::numeric_limits<std::int32_t>::max();
  require(config.scaler.growth_interval >= 1 && config.scaler.growth_interval <= largest_interval,
          "--growth-interval", config.scaler.growth_interval,
          fmt::format("1 to {}", largest_interval));
  require(config.stall_steps >= 1, "--stall-steps", config.stall_steps, "1 or more");
}

void validate_machine(const TrainConfig& config) {
  static_cast<void>(kernels::parse_instruction_set(config.kernels));
  const device::DeviceChoice device = device::parse_device_choice(config.device);
  require(config.threads >= 0 && config.threads <= 4096, "--threads", config.threads, "0 to 4096");
  require(config.workers >= TrainConfig::workers_by_device && config.workers <= 256, "--workers",
          config.workers, "0 to 256, or -1");
  if (config.cuda_graph) {
    if (device.kind == device::DeviceChoice::Kind::cpu)
      throw UsageError("--cuda-graph needs a CUDA device");
    if (config.accumulate > 1 || config.unfreeze_epoch > 0)
      throw UsageError("--cuda-graph records one step: not with --accumulate or --unfreeze-epoch");
  }
}

}  // namespace

void require_classes(const TrainConfig& config, int classes) {
  if (task_of(classes) == Task::binary) return;
  if (config.balance == Balance::positives || config.balance == Balance::weight) {
    throw UsageError(fmt::format(
        "--balance {}: is for two classes, of which the second is the positive, and the data have "
        "{}: leave it out",
        enum_name(config.balance), classes));
  }
  if (config.focal_alpha >= 0) {
    throw UsageError(fmt::format(
        "--focal-alpha {}: is for two classes, of which the second is the positive, and the data "
        "have {}: leave it out",
        config.focal_alpha, classes));
  }
}

void require_image_size(const TrainConfig& config, int height, int width, std::int64_t batch_size) {
  // A frozen backbone's batch norms are not in training mode.
  if (config.freeze_backbone && config.unfreeze_epoch == 0) {
    nn::require_image_size(config.model.name, height, width);
  } else {
    nn::require_norm_values(config.model.name, height, width, batch_size);
  }
}

void validate(const TrainConfig& config) {
  validate_data(config);
  validate_model(config);
  validate_loss(config);
  validate_schedule(config);
  validate_machine(config);
  // Last, as it concerns no option that is wrong in itself.
  if (config.data.path.empty() && config.data.needs_path()) {
    throw UsageError(fmt::format("--dataset {}: needs --data, its folder", config.data.dataset));
  }
}

void require_weights_file(const TrainConfig& config) {
  if (std::filesystem::is_directory(config.weights)) {
    throw InputError(config.weights, "--weights",
                     "this is a folder: name the file of weights in it, such as model.safetensors");
  }
  if (!config.weights.empty() && !std::filesystem::is_regular_file(config.weights)) {
    throw InputError(config.weights, "--weights", "there is no such file");
  }
}

nn::ModelOptions model_options(const TrainConfig& config, int channels, int classes) {
  nn::ModelOptions options = config.model;
  options.in_channels = channels;
  options.outputs = outputs_of(classes);
  return options;
}

void set_option(TrainConfig& config, std::string_view option, std::string_view text) {
  bool found = false;
  visit_options(config, [&]<class Value>(std::string_view name, Value& value, const char*) {
    if (name != option) return;
    found = true;
    try {
      if constexpr (std::is_same_v<Value, Precision>) {
        value = parse_precision(text);
      } else if constexpr (NamedEnum<Value>) {
        value = parse_enum<Value>(text, fmt::format("--{}", option));
      } else if constexpr (std::is_same_v<Value, std::filesystem::path>) {
        value = text;
      } else {
        csv::parse_cell(text, value);
      }
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      throw UsageError(fmt::format("--{}: {}", option, error.what()));
    }
  });
  if (!found) throw UsageError(fmt::format("there is no option --{}", option));
}

std::string option_toml(const TrainConfig& config, std::string_view option) {
  std::string text;
  visit_options(config, [&](std::string_view name, const auto& value, const char*) {
    if (name == option) text = toml_text(value);
  });
  return text;
}

std::string to_toml(const TrainConfig& config) {
  std::string text;
  visit_options(config, [&](const char* name, const auto& value, const char*) {
    text += toml_line(name, value);
  });
  return text;
}

}  // namespace mpbench::train

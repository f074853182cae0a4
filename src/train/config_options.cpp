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
  std::vector<std::string_view> choices{"auto"};
  for (const auto& one : data::dataset_names) choices.push_back(one.name);
  require_choice("--dataset", name, choices);
}

void validate_data(const TrainConfig& config) {
  require_dataset_name(config.dataset);
  if (config.data.empty() && config.dataset != "auto" && config.dataset != "synthetic") {
    throw UsageError(fmt::format("--dataset {}: needs --data, its folder", config.dataset));
  }
  require(config.limit >= 0, "--limit", config.limit, "0 or more");
  require(config.image_size == 0 || (config.image_size >= 16 && config.image_size <= 8192),
          "--image-size", config.image_size, "0, or 16 to 8192");
  require_choice("--normalize", config.normalize, {"auto", "imagenet", "unit", "none"});
  require_choice("--balance", config.balance, {"auto", "positives", "weight", "none"});
  if (const int classes = data::classes_of_dataset(config.dataset);
      classes > 0 && std::filesystem::is_directory(config.data)) {
    require_classes(config, classes);
  }
  require(config.validation_fraction > 0 && config.validation_fraction < 1, "--validation-fraction",
          config.validation_fraction, "between 0 and 1");
  data::validate(config.augment);
  // Now rather than after hours of preprocessing.
  if (!config.split.empty() && !std::filesystem::is_regular_file(config.split)) {
    throw InputError(config.split, "--split", "there is no such file");
  }
  require(config.folds == 0 || (config.folds >= 2 && config.folds <= 1000), "--folds", config.folds,
          "0, or 2 to 1000");
  require(config.fold >= 0 && config.fold < std::max(config.folds, 1), "--fold", config.fold,
          config.folds == 0 ? "0 without --folds" : "0 to the number of folds less one");
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
  train::validate(LossOptions{.task = Task::multiclass,
                              .kind = config.loss,
                              .focal_gamma = config.focal_gamma,
                              .label_smoothing = config.label_smoothing});
  require(config.focal_alpha <= 1, "--focal-alpha", config.focal_alpha, "at most 1");
}

void validate_schedule(const TrainConfig& config) {
  require(config.accumulate >= 1 && config.accumulate <= 1 << 20, "--accumulate", config.accumulate,
          "1 to 1048576");
  require(config.epochs >= 1, "--epochs", config.epochs, "1 or more");
  require(config.steps >= 0, "--steps", config.steps, "0 or more");
  train::validate(optimizer_options(config));
  // The optimizer's own options leave out what it does not have.
  require(config.momentum >= 0 && config.momentum < 1, "--momentum", config.momentum,
          "0 or more, and below 1");
  require(config.clip_norm == 0 || is_positive_float(config.clip_norm), "--clip-norm",
          config.clip_norm, fmt::format("0, or {}", positive_float_range));
  require(config.ema_decay >= 0 && config.ema_decay < 1, "--ema-decay", config.ema_decay,
          "0 or more, below 1");
  require(config.early_stop >= 0, "--early-stop", config.early_stop, "0 or more");
  require(config.checkpoint_steps >= 0, "--checkpoint-steps", config.checkpoint_steps, "0 or more");
  require_choice("--schedule", config.schedule, {"constant", "cosine"});
  require(config.warmup_epochs >= 0 && config.warmup_epochs <= config.epochs, "--warmup-epochs",
          config.warmup_epochs, "0 to the number of epochs");
  require(config.min_lr >= 0 && config.min_lr <= config.lr, "--min-lr", config.min_lr, "0 to --lr");
  // What TOML can hold, so that config.toml reads back.
  require(config.seed <= largest_seed, "--seed", config.seed, fmt::format("0 to {}", largest_seed));
  require(config.warmup_steps >= 0, "--warmup-steps", config.warmup_steps, "0 or more");
  require(is_positive_float(config.init_scale), "--init-scale", config.init_scale,
          positive_float_range);
  constexpr std::int64_t largest_interval = std::numeric_limits<std::int32_t>::max();
  require(config.growth_interval >= 1 && config.growth_interval <= largest_interval,
          "--growth-interval", config.growth_interval, fmt::format("1 to {}", largest_interval));
  require(config.stall_steps >= 1, "--stall-steps", config.stall_steps, "1 or more");
}

void validate_machine(const TrainConfig& config) {
  static_cast<void>(kernels::parse_depthwise(config.depthwise));
  static_cast<void>(kernels::parse_emulation(config.emulation));
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
  if (config.balance == "positives" || config.balance == "weight") {
    throw UsageError(fmt::format(
        "--balance {}: is for two classes, of which the second is the positive, and the data have "
        "{}: leave it out",
        config.balance, classes));
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
    nn::require_image_size(config.model, height, width);
  } else {
    nn::require_norm_values(config.model, height, width, batch_size);
  }
}

void validate(const TrainConfig& config) {
  validate_data(config);
  validate_model(config);
  validate_loss(config);
  validate_schedule(config);
  validate_machine(config);
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
  return {.name = config.model,
          .in_channels = channels,
          .outputs = outputs_of(classes),
          .activation = config.activation,
          .squeeze_excite = config.squeeze_excite};
}

OptimizerOptions optimizer_options(const TrainConfig& config) {
  return {.name = config.optimizer,
          .lr = config.lr,
          .weight_decay = config.weight_decay,
          .momentum = config.optimizer == "sgd" ? config.momentum : 0.0,
          .nesterov = config.nesterov,
          .tensor_lr = config.cuda_graph};
}

void set_option(TrainConfig& config, std::string_view option, std::string_view text) {
  bool found = false;
  visit_options(config, [&]<class Value>(std::string_view name, Value& value, const char*) {
    if (name != option) return;
    found = true;
    try {
      if constexpr (std::is_same_v<Value, Precision>) {
        value = parse_precision(text);
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

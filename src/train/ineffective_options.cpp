#include "mpbench/train/ineffective_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>

#include "mpbench/core/error.hpp"
#include "mpbench/device/device_options.hpp"
#include "mpbench/nn/efficientnet_options.hpp"

namespace mpbench::train {
namespace {

bool is_efficientnet(const TrainConfig& config) {
  return nn::find_efficientnet(config.model.name) != nullptr;
}
bool is_sgd(const TrainConfig& config) { return config.optimizer.kind == OptimizerKind::sgd; }
bool is_focal(const TrainConfig& config) { return config.loss.kind == LossKind::focal; }
bool is_cosine(const TrainConfig& config) { return config.schedule.kind == ScheduleKind::cosine; }
bool makes_one_split(const TrainConfig& config) {
  return config.split.folds == 0 && config.split.file.empty();
}
bool splits_by_seed(const TrainConfig& config) { return config.split.file.empty(); }
bool has_scaler(const TrainConfig& config) { return config.precision == Precision::fp16; }
// Where the device is chosen by the machine, it may be either.
bool may_be_cpu(const TrainConfig& config) {
  return device::parse_device_choice(config.device).kind != device::DeviceChoice::Kind::cuda;
}
bool is_emulated(const TrainConfig& config) {
  return may_be_cpu(config) && is_mixed(config.precision);
}

/// An option, when it does something, and what for. An option whose default is to do nothing may be
/// given that value at any time.
struct Rule {
  std::string_view option;
  bool (*has_effect)(const TrainConfig&);
  std::string_view needs;
  bool idle_by_default;
};

constexpr std::array rules{
    Rule{"activation", is_efficientnet, "an EfficientNet as --model", false},
    Rule{"se", is_efficientnet, "an EfficientNet as --model", false},
    Rule{"momentum", is_sgd, "--optimizer sgd", false},
    Rule{"nesterov", is_sgd, "--optimizer sgd", true},
    Rule{"focal-gamma", is_focal, "--loss focal", false},
    Rule{"focal-alpha", is_focal, "--loss focal", true},
    Rule{"min-lr", is_cosine, "--schedule cosine", true},
    Rule{"validation-fraction", makes_one_split, "neither --folds nor --split", false},
    Rule{"split-seed", splits_by_seed, "a split that is made here: no --split", true},
    Rule{"depthwise", may_be_cpu, "the CPU as --device", true},
    Rule{"emulation", is_emulated, "--precision bf16 or fp16 on the CPU", true},
    Rule{"kernels", may_be_cpu, "the CPU as --device", true},
    Rule{"init-scale", has_scaler, "--precision fp16", false},
    Rule{"growth-interval", has_scaler, "--precision fp16", false},
    Rule{"stall-steps", has_scaler, "--precision fp16", false}};

}  // namespace

void require_effect(std::span<const TrainConfig> runs, const std::set<std::string>& given) {
  const TrainConfig defaults;
  for (const Rule& rule : rules) {
    if (std::any_of(runs.begin(), runs.end(), rule.has_effect)) continue;
    const bool named = !rule.idle_by_default && given.contains(std::string(rule.option));
    for (const TrainConfig& run : runs) {
      const std::string value = option_toml(run, rule.option);
      if (!named && value == option_toml(defaults, rule.option)) continue;
      throw UsageError(
          fmt::format("--{} {}: has no effect here: it needs {}", rule.option, value, rule.needs));
    }
  }
}

TrainConfig without_ineffective(TrainConfig config) {
  const TrainConfig defaults;
  for (const Rule& rule : rules) {
    if (rule.has_effect(config)) continue;
    visit_options(config, [&](std::string_view name, auto& value, const char*) {
      if (name != rule.option) return;
      visit_options(defaults, [&](std::string_view other, const auto& default_value, const char*) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>,
                                     std::decay_t<decltype(default_value)>>) {
          if (other == name) value = default_value;
        }
      });
    });
  }
  return config;
}

}  // namespace mpbench::train

#include "mpbench/nn/model.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/cnn.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "mpbench/nn/resnet.hpp"

namespace mpbench::nn {
namespace {

void require_default(const std::string& model, const char* option, const std::string& value,
                     const std::string& default_value) {
  if (value != default_value) {
    throw UsageError(
        fmt::format("{} '{}' is for EfficientNet: {} has no such choice", option, value, model));
  }
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"cnn", "resnet18", "resnet50"};
    for (const auto& variant : efficientnet_variants()) all.emplace_back(variant.name);
    return all;
  }();
  return names;
}

void require_model(const std::string& name) {
  const auto& names = model_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(fmt::format("unknown model '{}': choose {}", name, fmt::join(names, ", ")));
  }
}

void require_model_options(const ModelOptions& options) {
  require_model(options.name);
  (void)parse_activation(options.activation);
  (void)parse_squeeze_excite(options.squeeze_excite);
  if (find_efficientnet(options.name) == nullptr) {
    const ModelOptions defaults;
    require_default(options.name, "activation", options.activation, defaults.activation);
    require_default(options.name, "squeeze-excite", options.squeeze_excite,
                    defaults.squeeze_excite);
  }
}

int native_resolution(const std::string& model) {
  require_model(model);
  const auto* variant = find_efficientnet(model);
  return variant == nullptr ? 0 : variant->resolution;
}

std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options) {
  require_model_options(options);
  const auto& [name, in_channels, outputs, activation, squeeze_excite] = options;
  if (const auto* variant = find_efficientnet(name)) {
    return std::make_shared<EfficientNet>(*variant, in_channels, outputs,
                                          parse_activation(activation),
                                          parse_squeeze_excite(squeeze_excite));
  }
  if (name == "resnet18") return std::make_shared<ResNet>(resnet18, in_channels, outputs);
  if (name == "resnet50") return std::make_shared<ResNet>(resnet50, in_channels, outputs);
  return std::make_shared<Cnn>(in_channels, outputs);
}

std::int64_t count_parameters(const torch::nn::Module& model) {
  std::int64_t total = 0;
  for (const auto& parameter : model.parameters()) {
    if (parameter.requires_grad()) total += parameter.numel();
  }
  return total;
}

void to_channels_last(torch::nn::Module& model) {
  for (auto& parameter : model.parameters()) {
    // Not contiguous(): for it a weight [N, 1, H, W] has both layouts already, and a convolution
    // reads the strides to choose its own layout.
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.to(parameter.options(), /*non_blocking=*/false, /*copy=*/false,
                                      at::MemoryFormat::ChannelsLast));
    }
  }
}

}  // namespace mpbench::nn

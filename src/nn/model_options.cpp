#include "mpbench/nn/model_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/efficientnet_options.hpp"

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
  (void)parse_efficientnet_origin(options.origin);
  if (find_efficientnet(options.name) == nullptr) {
    const ModelOptions defaults;
    require_default(options.name, "activation", options.activation, defaults.activation);
    require_default(options.name, "squeeze-excite", options.squeeze_excite,
                    defaults.squeeze_excite);
    require_default(options.name, "origin", options.origin, defaults.origin);
  }
}

int native_resolution(const std::string& model) {
  require_model(model);
  const auto* variant = find_efficientnet(model);
  return variant == nullptr ? 0 : variant->resolution;
}

}  // namespace mpbench::nn

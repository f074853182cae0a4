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
  static const std::vector<std::string> names = enum_name_list<Network>();
  return names;
}

void require_model(const std::string& name) {
  if (find_enum<Network>(name)) return;
  throw UsageError(
      fmt::format("unknown model '{}': choose {}", name, fmt::join(model_names(), ", ")));
}

void require_model_options(const ModelOptions& options) {
  require_model(options.name);
  (void)parse_enum<Activation>(options.activation, "activation");
  (void)parse_enum<SqueezeExciteForm>(options.squeeze_excite, "squeeze-excite");
  (void)parse_enum<EfficientNetOrigin>(options.origin, "origin");
  if (find_efficientnet(options.name) == nullptr) {
    const ModelOptions defaults;
    require_default(options.name, "activation", options.activation, defaults.activation);
    require_default(options.name, "squeeze-excite", options.squeeze_excite,
                    defaults.squeeze_excite);
    require_default(options.name, "origin", options.origin, defaults.origin);
  }
}

void require_image_size(const std::string& model, int height, int width) {
  require_model(model);
  // Four times halved, rounded down. The other networks' padded layers round up, and take any size.
  constexpr int smallest_of_cnn = 16;
  if (find_enum<Network>(model) != Network::cnn || std::min(height, width) >= smallest_of_cnn)
    return;
  throw UsageError(
      fmt::format("--image-size: {} needs images of {} x {} or more, and these are {} x {}", model,
                  smallest_of_cnn, smallest_of_cnn, height, width));
}

void require_norm_values(const std::string& model, int height, int width, std::int64_t batch_size) {
  require_image_size(model, height, width);
  // cnn's last norm comes before its last pooling: it has four values at the least.
  if (find_enum<Network>(model) == Network::cnn) return;
  constexpr int stride = 32;
  const auto rows = (std::int64_t{height} + stride - 1) / stride;
  const auto columns = (std::int64_t{width} + stride - 1) / stride;
  if (batch_size * rows * columns > 1) return;
  throw UsageError(fmt::format(
      "--batch-size {}: batch norm needs more than one value a channel to train on, and {} makes "
      "one "
      "of an image of {} x {}: choose a larger --batch-size, or an --image-size above {}",
      batch_size, model, height, width, stride));
}

int native_resolution(const std::string& model) {
  require_model(model);
  const auto* variant = find_efficientnet(model);
  return variant == nullptr ? 0 : variant->resolution;
}

}  // namespace mpbench::nn

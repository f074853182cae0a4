#include "mpbench/nn/model.hpp"

#include <torch/types.h>

#include "cnn.hpp"
#include "mpbench/nn/efficientnet.hpp"
#include "resnet.hpp"

namespace mpbench::nn {

std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options) {
  require_model_options(options);
  const auto& [name, in_channels, outputs, activation, squeeze_excite, origin] = options;
  switch (parse_enum<Network>(name, "model")) {
    case Network::cnn:
      return std::make_shared<Cnn>(in_channels, outputs);
    case Network::resnet18:
      return std::make_shared<ResNet>(resnet18, in_channels, outputs);
    case Network::resnet50:
      return std::make_shared<ResNet>(resnet50, in_channels, outputs);
    default:
      break;
  }
  auto model = std::make_shared<EfficientNet>(
      *find_efficientnet(name), in_channels, outputs,
      parse_enum<Activation>(activation, "activation"),
      parse_enum<SqueezeExciteForm>(squeeze_excite, "squeeze-excite"));
  model->set_origin(parse_enum<EfficientNetOrigin>(origin, "origin"));
  return model;
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
                                      torch::MemoryFormat::ChannelsLast));
    }
  }
}

}  // namespace mpbench::nn

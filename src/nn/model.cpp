#include "mpbench/nn/model.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>

#include "mpbench/core/error.hpp"
#include "mpbench/nn/cnn.hpp"

namespace mpbench::nn {

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names{"cnn"};
  return names;
}

void require_model(const std::string& name) {
  const auto& names = model_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    throw UsageError(fmt::format("unknown model '{}': choose {}", name, fmt::join(names, ", ")));
  }
}

std::shared_ptr<ImageClassifier> make_model(const ModelOptions& options) {
  require_model(options.name);
  return std::make_shared<Cnn>(options.in_channels, options.outputs);
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
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

}  // namespace mpbench::nn

#pragma once

#include <torch/types.h>

#include <vector>

#include "mpbench/nn/model.hpp"

namespace mpbench::nn {

/// Weight and bias of a model's last linear layer.
inline std::vector<at::Tensor> head_parameters(const ImageClassifier& model) {
  std::vector<at::Tensor> parameters;
  for (const auto& entry : model.named_parameters()) {
    if (entry.key().starts_with(model.head() + ".")) parameters.push_back(entry.value());
  }
  return parameters;
}

}  // namespace mpbench::nn

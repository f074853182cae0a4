#include "mpbench/nn/backbone.hpp"

#include <torch/types.h>

#include <string_view>

namespace mpbench::nn {
namespace {

/// Whether a tensor or module is the head, or in it.
bool in_head(const ImageClassifier& model, std::string_view path) {
  const std::string head = model.head();
  return path == head || path.starts_with(head + ".");
}

}  // namespace

std::vector<torch::Tensor> backbone_parameters(const ImageClassifier& model) {
  std::vector<torch::Tensor> parameters;
  for (const auto& entry : model.named_parameters()) {
    if (!in_head(model, entry.key())) parameters.push_back(entry.value());
  }
  return parameters;
}

void set_backbone_trainable(ImageClassifier& model, bool trainable) {
  for (torch::Tensor& parameter : backbone_parameters(model)) {
    parameter.set_requires_grad(trainable);
    if (!trainable) parameter.mutable_grad().reset();
  }
}

void train_mode(ImageClassifier& model, bool backbone_frozen) {
  model.train();
  if (!backbone_frozen) return;
  for (const auto& entry : model.named_modules("", /*include_self=*/false)) {
    const bool keeps_statistics =
        entry.value()->named_buffers(/*recurse=*/false).contains("running_mean");
    if (keeps_statistics && !in_head(model, entry.key())) entry.value()->eval();
  }
}

}  // namespace mpbench::nn

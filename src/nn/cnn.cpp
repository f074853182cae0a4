#include "mpbench/nn/cnn.hpp"

#include <torch/torch.h>

namespace mpbench::nn {
namespace {

constexpr std::array block_channels{32, 64, 128, 128};

torch::nn::Sequential make_features(int in_channels) {
  torch::nn::Sequential features;
  int channels = in_channels;
  for (const int next : block_channels) {
    // No bias: the batch norm behind it would take it away again.
    features->push_back(
        torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, next, 3).padding(1).bias(false)));
    features->push_back(torch::nn::BatchNorm2d(next));
    features->push_back(torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
    features->push_back(torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2)));
    channels = next;
  }
  return features;
}

}  // namespace

Cnn::Cnn(int in_channels, int outputs)
    : features_(register_module("features", make_features(in_channels))),
      classifier_(
          register_module("classifier", torch::nn::Linear(block_channels.back(), outputs))) {}

torch::Tensor Cnn::forward(torch::Tensor images) {
  const torch::Tensor maps = features_->forward(images);
  return classifier_->forward(torch::adaptive_avg_pool2d(maps, {1, 1}).flatten(1));
}

}  // namespace mpbench::nn

#include "cnn.hpp"

#include <torch/types.h>

#include "../layers/conv_norm_activation.hpp"
#include "mpbench/kernels/max_pool.hpp"

namespace mpbench::nn {
namespace {

constexpr std::array block_channels{32, 64, 128, 128};
constexpr int layers_per_block = 4;  // convolution, norm, ReLU, pooling: each has its number

}  // namespace

Cnn::Cnn(int in_channels, int outputs) {
  const auto features = register_module("features", std::make_shared<torch::nn::Module>());
  int channels = in_channels;
  int layer = 0;
  for (const int next : block_channels) {
    blocks_.push_back(
        {features->register_module(std::to_string(layer),
                                   torch::nn::Conv2d(same_convolution(channels, next, 3))),
         features->register_module(std::to_string(layer + 1), torch::nn::BatchNorm2d(next))});
    channels = next;
    layer += layers_per_block;
  }
  classifier_ = register_module("classifier", torch::nn::Linear(channels, outputs));
}

torch::Tensor Cnn::forward(torch::Tensor images) {
  torch::Tensor x = images;
  for (Block& block : blocks_) {
    x = norm_activation(block.norm, block.conv->forward(x), Activation::relu);
    x = kernels::max_pool_2x2(x);
  }
  return classifier_->forward(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
}

}  // namespace mpbench::nn

#include "resnet.hpp"

#include <fmt/format.h>
#include <torch/types.h>

#include "../layers/conv_norm_activation.hpp"
#include "../layers/initialization.hpp"
#include "mpbench/kernels/spatial_mean.hpp"

namespace mpbench::nn {
namespace {

constexpr int stem_channels = 64;

/// What a block adds its result to: its input, or the input brought to the result's shape.
using Downsample = std::shared_ptr<ConvNormActivation>;

torch::nn::Conv2d convolution(int in_channels, int out_channels, int kernel, int stride = 1) {
  return torch::nn::Conv2d(same_convolution(in_channels, out_channels, kernel, stride));
}

torch::Tensor add_and_relu(torch::Tensor result, const Downsample& downsample,
                           const torch::Tensor& input) {
  result += downsample ? downsample->forward(input) : input;
  return activate(result, Activation::relu);
}

class BasicBlock : public torch::nn::Module {
 public:
  static constexpr int expansion = 1;

  BasicBlock(int in_channels, int width, int stride, const Downsample& downsample)
      : conv1_(register_module("conv1", convolution(in_channels, width, 3, stride))),
        bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
        conv2_(register_module("conv2", convolution(width, width, 3))),
        bn2_(register_module("bn2", torch::nn::BatchNorm2d(width))),
        downsample_(downsample) {
    if (downsample) register_module("downsample", downsample);
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = norm_activation(bn1_, conv1_->forward(input), Activation::relu);
    x = norm_activation(bn2_, conv2_->forward(x), Activation::none);
    return add_and_relu(x, downsample_, input);
  }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  Downsample downsample_;
};

class Bottleneck : public torch::nn::Module {
 public:
  static constexpr int expansion = 4;

  Bottleneck(int in_channels, int width, int stride, const Downsample& downsample)
      : conv1_(register_module("conv1", convolution(in_channels, width, 1))),
        bn1_(register_module("bn1", torch::nn::BatchNorm2d(width))),
        conv2_(register_module("conv2", convolution(width, width, 3, stride))),
        bn2_(register_module("bn2", torch::nn::BatchNorm2d(width))),
        conv3_(register_module("conv3", convolution(width, width * expansion, 1))),
        bn3_(register_module("bn3", torch::nn::BatchNorm2d(width * expansion))),
        downsample_(downsample) {
    if (downsample) register_module("downsample", downsample);
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = norm_activation(bn1_, conv1_->forward(input), Activation::relu);
    x = norm_activation(bn2_, conv2_->forward(x), Activation::relu);
    x = norm_activation(bn3_, conv3_->forward(x), Activation::none);
    return add_and_relu(x, downsample_, input);
  }

 private:
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d bn2_;
  torch::nn::Conv2d conv3_;
  torch::nn::BatchNorm2d bn3_;
  Downsample downsample_;
};

/// One stage; `channels` comes in as its input's and leaves as its output's.
template <typename Block>
torch::nn::Sequential make_stage(int& channels, int width, int blocks, int stride) {
  torch::nn::Sequential stage;
  for (int i = 0; i < blocks; ++i) {
    const int block_stride = i == 0 ? stride : 1;
    const int out_channels = width * Block::expansion;
    Downsample downsample;  // made before the block: the order of torchvision's random numbers
    if (block_stride != 1 || channels != out_channels) {
      downsample = std::make_shared<ConvNormActivation>(
          same_convolution(channels, out_channels, 1, block_stride), Activation::none);
    }
    stage->push_back(std::make_shared<Block>(channels, width, block_stride, downsample));
    channels = out_channels;
  }
  return stage;
}

}  // namespace

ResNet::ResNet(const ResNetLayout& layout, int in_channels, int outputs)
    : conv1_(register_module("conv1", convolution(in_channels, stem_channels, 7, 2))),
      bn1_(register_module("bn1", torch::nn::BatchNorm2d(stem_channels))) {
  int channels = stem_channels;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const int width = stem_channels << i;
    const int stride = i == 0 ? 1 : 2;
    layers_[i] = layout.bottleneck
                     ? make_stage<Bottleneck>(channels, width, layout.blocks[i], stride)
                     : make_stage<BasicBlock>(channels, width, layout.blocks[i], stride);
    register_module(fmt::format("layer{}", i + 1), layers_[i]);
  }
  fc_ = register_module("fc", torch::nn::Linear(channels, outputs));
  initialize_convolutions(*this);
}

torch::Tensor ResNet::forward(torch::Tensor images) {
  torch::Tensor x = norm_activation(bn1_, conv1_->forward(images), Activation::relu);
  x = torch::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  for (auto& layer : layers_) x = layer->forward(x);
  return fc_->forward(kernels::spatial_mean(x).flatten(1));
}

}  // namespace mpbench::nn

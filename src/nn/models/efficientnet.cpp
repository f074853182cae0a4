#include "mpbench/nn/efficientnet.hpp"

#include <fmt/format.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "../layers/conv_norm_activation.hpp"
#include "../layers/initialization.hpp"
#include "../layers/squeeze_excite.hpp"
#include "../layers/stochastic_depth.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/kernels/spatial_mean.hpp"

namespace mpbench::nn {
namespace {

constexpr double last_drop_probability = 0.2;  // stochastic depth's, reached linearly from 0

/// A row of the paper's Table 1.
struct Stage {
  int expansion;
  int kernel;
  int stride;
  int in_channels;
  int out_channels;
  int blocks;
};

constexpr std::array<Stage, 7> b0_stages{{{1, 3, 1, 32, 16, 1},
                                          {6, 3, 2, 16, 24, 2},
                                          {6, 5, 2, 24, 40, 2},
                                          {6, 3, 2, 40, 80, 3},
                                          {6, 5, 1, 80, 112, 3},
                                          {6, 5, 2, 112, 192, 4},
                                          {6, 3, 1, 192, 320, 1}}};

/// The multiple of 8 nearest to channels * factor, at least 8, and never more than a tenth below
/// it.
int scale_channels(int channels, double factor) {
  constexpr int divisor = 8;
  const double wanted = channels * factor;
  const int rounded =
      std::max(divisor, static_cast<int>(wanted + divisor / 2.0) / divisor * divisor);
  return rounded < 0.9 * wanted ? rounded + divisor : rounded;
}

std::vector<Stage> scale_stages(const EfficientNetVariant& variant) {
  std::vector<Stage> stages(b0_stages.begin(), b0_stages.end());
  for (Stage& stage : stages) {
    stage.in_channels = scale_channels(stage.in_channels, variant.width);
    stage.out_channels = scale_channels(stage.out_channels, variant.width);
    stage.blocks = static_cast<int>(std::ceil(stage.blocks * variant.depth));
  }
  return stages;
}

/// What all blocks of a model share.
struct BlockStyle {
  Activation activation;
  SqueezeExciteForm squeeze_excite;
  torch::nn::BatchNormOptions norm;

  std::shared_ptr<ConvNormActivation> convolution(int in_channels, int out_channels, int kernel,
                                                  int stride = 1, int groups = 1) const {
    return std::make_shared<ConvNormActivation>(
        same_convolution(in_channels, out_channels, kernel, stride, groups), activation, norm);
  }
  std::shared_ptr<ConvNormActivation> projection(int in_channels, int out_channels) const {
    return std::make_shared<ConvNormActivation>(same_convolution(in_channels, out_channels, 1),
                                                Activation::none, norm);
  }
};

/// The mobile inverted bottleneck: widen by 1x1, convolve each channel, squeeze and excite, narrow
/// by 1x1.
class MBConv : public torch::nn::Module {
 public:
  MBConv(const Stage& shape, double drop_probability, const BlockStyle& style)
      : adds_input_(shape.stride == 1 && shape.in_channels == shape.out_channels),
        drop_probability_(drop_probability) {
    const int expanded = scale_channels(shape.in_channels, shape.expansion);
    const int squeezed = std::max(1, shape.in_channels / 4);
    if (expanded != shape.in_channels) {
      block_->push_back(style.convolution(shape.in_channels, expanded, 1));
    }
    block_->push_back(
        style.convolution(expanded, expanded, shape.kernel, shape.stride, /*groups=*/expanded));
    block_->push_back(std::make_shared<SqueezeExcite>(expanded, squeezed, style.activation,
                                                      style.squeeze_excite));
    block_->push_back(style.projection(expanded, shape.out_channels));
    register_module("block", block_);
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor x = block_->forward(input);
    if (adds_input_) x = stochastic_depth(x, drop_probability_, is_training()).add_(input);
    return x;
  }

 private:
  torch::nn::Sequential block_;
  bool adds_input_;
  double drop_probability_;
};

/// The blocks of a stage. A Sequential only takes modules whose forward is no template, which its
/// own is.
class BlockSequence : public torch::nn::SequentialImpl {
 public:
  torch::Tensor forward(const torch::Tensor& input) { return SequentialImpl::forward(input); }
};

torch::nn::Sequential make_features(const std::vector<Stage>& stages, int in_channels,
                                    int last_channels, const BlockStyle& style) {
  torch::nn::Sequential features;
  features->push_back(
      style.convolution(in_channels, stages.front().in_channels, /*kernel=*/3, /*stride=*/2));
  int total_blocks = 0;
  for (const Stage& stage : stages) total_blocks += stage.blocks;
  int blocks_before = 0;
  for (Stage shape : stages) {
    const auto stage = std::make_shared<BlockSequence>();
    for (int i = 0; i < shape.blocks; ++i) {
      stage->push_back(std::make_shared<MBConv>(
          shape, last_drop_probability * blocks_before / total_blocks, style));
      ++blocks_before;
      shape.in_channels = shape.out_channels;
      shape.stride = 1;
    }
    features->push_back(stage);
  }
  features->push_back(style.convolution(stages.back().out_channels, last_channels, /*kernel=*/1));
  return features;
}

}  // namespace

EfficientNet::EfficientNet(const EfficientNetVariant& variant, int in_channels, int outputs,
                           Activation activation, SqueezeExciteForm squeeze_excite)
    : variant_(variant) {
  const BlockStyle style{
      activation, squeeze_excite,
      torch::nn::BatchNormOptions(0).eps(variant.norm_epsilon).momentum(variant.norm_momentum)};
  const std::vector<Stage> stages = scale_stages(variant);
  const int last_channels = 4 * stages.back().out_channels;
  features_ = register_module("features", make_features(stages, in_channels, last_channels, style));
  const torch::nn::Linear linear(last_channels, outputs);
  classifier_ = register_module(
      "classifier",
      torch::nn::Sequential(
          torch::nn::Dropout(torch::nn::DropoutOptions(variant.dropout).inplace(true)), linear));
  initialize_convolutions(*this);
  const double range = 1 / std::sqrt(outputs);
  torch::nn::init::uniform_(linear->weight, -range, range);
  torch::nn::init::zeros_(linear->bias);
}

void EfficientNet::set_origin(EfficientNetOrigin origin) {
  constexpr double timm_epsilon = 1e-5;
  constexpr double tensorflow_epsilon = 1e-3;
  constexpr double timm_momentum = 0.1;
  double epsilon = variant_.norm_epsilon;
  if (origin == EfficientNetOrigin::timm) epsilon = timm_epsilon;
  if (origin == EfficientNetOrigin::timm_tf) epsilon = tensorflow_epsilon;
  const bool is_torchvision = origin == EfficientNetOrigin::torchvision;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      norm->options.eps(epsilon).momentum(is_torchvision ? variant_.norm_momentum : timm_momentum);
    }
    if (auto* convolution = dynamic_cast<ConvNormActivation*>(module.get())) {
      convolution->set_padding(origin == EfficientNetOrigin::timm_tf ? Padding::tensorflow
                                                                     : Padding::symmetric);
    }
  }
  origin_ = origin;
}

std::string origin_of(const ImageClassifier& model) {
  const auto* efficientnet = dynamic_cast<const EfficientNet*>(&model);
  return std::string(enum_name(efficientnet == nullptr ? EfficientNetOrigin::torchvision
                                                       : efficientnet->origin()));
}

void set_origin(ImageClassifier& model, const std::string& origin) {
  const auto parsed = parse_enum<EfficientNetOrigin>(origin, "origin");
  if (auto* efficientnet = dynamic_cast<EfficientNet*>(&model)) {
    efficientnet->set_origin(parsed);
  } else if (parsed != EfficientNetOrigin::torchvision) {
    throw UsageError(fmt::format("origin '{}' is for EfficientNet", origin));
  }
}

torch::Tensor EfficientNet::forward(torch::Tensor images) {
  const torch::Tensor maps = features_->forward(images);
  return classifier_->forward(kernels::spatial_mean(maps).flatten(1));
}

}  // namespace mpbench::nn

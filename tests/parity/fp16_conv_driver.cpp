// Convolves float16 tensors, forward and backward, under Fp16ConvolutionGuard: a JSON array of
// cases on stdin, of results on stdout. fp16_conv_parity_test.py compares them with PyTorch's
// float32 and float16 convolutions.
#include <torch/torch.h>

#include "driver.hpp"
#include "mpbench/amp/fp16_conv.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::fp16_conv_driver {
namespace {

at::Tensor leaf(const json& spec, bool channels_last) {
  at::Tensor tensor = to_tensor(spec, at::kHalf);
  if (channels_last && tensor.dim() == 4) {
    // Not contiguous(): with one channel that changes nothing, and the convolution would choose
    // NCHW.
    tensor = tensor.to(tensor.options(), false, false, at::MemoryFormat::ChannelsLast);
  }
  return tensor.requires_grad_();
}

json convolve(const json& spec) {
  const bool channels_last = spec.at("channels_last");
  const at::Tensor input = leaf(spec.at("input"), channels_last);
  const at::Tensor weight = leaf(spec.at("weight"), channels_last);
  const at::Tensor bias = spec.at("bias").is_null() ? at::Tensor() : leaf(spec.at("bias"), false);
  const auto pair = [&](const char* key) { return spec.at(key).get<std::vector<std::int64_t>>(); };
  const auto groups = spec.at("groups").get<std::int64_t>();
  const at::Tensor output =
      spec.at("transposed").get<bool>()
          ? at::conv_transpose2d(input, weight, bias, pair("stride"), pair("padding"),
                                 pair("output_padding"), groups, pair("dilation"))
          : at::conv2d(input, weight, bias, pair("stride"), pair("padding"), pair("dilation"),
                       groups);
  output.backward(to_tensor(spec.at("output_gradient"), at::kHalf));
  return {{"output", to_json(output)},
          {"channels_last", output.is_contiguous(at::MemoryFormat::ChannelsLast)},
          {"input_gradient", to_json(input.grad())},
          {"weight_gradient", to_json(weight.grad())},
          {"bias_gradient", to_json(bias.defined() ? bias.grad() : bias)}};
}

json answer(const json& spec) {
  static const amp::Fp16ConvolutionGuard guard;
  json result = spec.contains("input") ? convolve(spec) : json::object();
  result["label"] = guard.support().label;
  return result;
}

}  // namespace

const Driver driver("fp16_conv", answer);

}  // namespace mpbench::parity::fp16_conv_driver

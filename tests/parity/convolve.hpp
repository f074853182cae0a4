#pragma once

#include <cstdint>
#include <vector>

#include "tensor_json.hpp"

namespace mpbench::parity {

/// A 2-d convolution and its gradients from what convolutions.py describes, under whichever kernels
/// are registered.
inline nlohmann::json convolve(const nlohmann::json& spec) {
  const bool channels_last = spec.at("channels_last");
  const at::ScalarType dtype = to_dtype(spec.at("dtype"));
  const at::Tensor input = leaf(spec.at("input"), dtype, channels_last);
  const at::Tensor weight = leaf(spec.at("weight"), dtype, channels_last);
  const at::Tensor bias =
      spec.at("bias").is_null() ? at::Tensor() : leaf(spec.at("bias"), dtype, false);
  const auto pair = [&](const char* key) { return spec.at(key).get<std::vector<std::int64_t>>(); };
  const auto groups = spec.at("groups").get<std::int64_t>();
  const at::Tensor output =
      spec.value("transposed", false)
          ? at::conv_transpose2d(input, weight, bias, pair("stride"), pair("padding"),
                                 pair("output_padding"), groups, pair("dilation"))
          : at::conv2d(input, weight, bias, pair("stride"), pair("padding"), pair("dilation"),
                       groups);
  output.backward(to_tensor(spec.at("output_gradient"), dtype));
  return {{"output", to_json(output)},
          {"channels_last", output.is_contiguous(at::MemoryFormat::ChannelsLast)},
          {"input_gradient", to_json(input.grad())},
          {"weight_gradient", to_json(weight.grad())},
          {"bias_gradient", to_json(bias.defined() ? bias.grad() : bias)}};
}

}  // namespace mpbench::parity

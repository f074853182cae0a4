// Convolves bfloat16 or float16 tensors, forward and backward, with the operations emulated that
// this machine or MPBENCH_EMULATION asks for. emulation_parity_test.py compares the results with
// PyTorch's convolutions in float32 and in the 16-bit type.
#include <torch/types.h>

#include "driver.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::emulation_driver {
namespace {

json convolve(const json& spec) {
  const bool channels_last = spec.at("channels_last");
  const at::ScalarType dtype = to_dtype(spec.at("dtype"));
  const at::Tensor input = leaf(spec.at("input"), dtype, channels_last);
  const at::Tensor weight = leaf(spec.at("weight"), dtype, channels_last);
  const at::Tensor bias =
      spec.at("bias").is_null() ? at::Tensor() : leaf(spec.at("bias"), dtype, false);
  const auto pair = [&](const char* key) { return spec.at(key).get<std::vector<std::int64_t>>(); };
  const auto groups = spec.at("groups").get<std::int64_t>();
  const at::Tensor output =
      spec.at("transposed").get<bool>()
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

json answer(const json& spec) {
  const auto precision = spec.at("dtype") == "float16" ? Precision::fp16 : Precision::bf16;
  const auto emulated = kernels::emulated_operations(precision);
  const kernels::CpuKernelsGuard guard({.emulated = emulated});
  json result = spec.contains("input") ? convolve(spec) : json::object();
  result["label"] = emulated.label();
  return result;
}

}  // namespace

const Driver driver("emulation", answer);

}  // namespace mpbench::parity::emulation_driver

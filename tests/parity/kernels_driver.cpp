// Depthwise convolutions under CpuKernelsGuard: JSON in, JSON out. kernels_parity_test.py compares
// them with PyTorch's.
#include <torch/torch.h>

#include "mpbench/kernels/cpu_kernels.hpp"
#include "tensor_json.hpp"

namespace {

using mpbench::kernels::CpuKernelsGuard;
using mpbench::parity::to_dtype;
using mpbench::parity::to_json;
using mpbench::parity::to_tensor;
using nlohmann::json;

at::Tensor leaf(const json& spec, at::ScalarType dtype, bool channels_last) {
  at::Tensor tensor = to_tensor(spec, dtype);
  if (channels_last && tensor.dim() == 4) {
    tensor = tensor.to(tensor.options(), false, false, at::MemoryFormat::ChannelsLast);
  }
  return tensor.requires_grad_();
}

json convolve(const json& spec) {
  const at::ScalarType dtype = to_dtype(spec.at("dtype"));
  const bool channels_last = spec.at("channels_last");
  const at::Tensor input = leaf(spec.at("input"), dtype, channels_last);
  const at::Tensor weight = leaf(spec.at("weight"), dtype, channels_last);
  const at::Tensor bias =
      spec.at("bias").is_null() ? at::Tensor() : leaf(spec.at("bias"), dtype, false);
  const auto pair = [&](const char* key) { return spec.at(key).get<std::vector<std::int64_t>>(); };
  const at::Tensor output =
      at::conv2d(input, weight, bias, pair("stride"), pair("padding"), pair("dilation"),
                 spec.at("groups").get<std::int64_t>());
  output.backward(to_tensor(spec.at("output_gradient"), dtype));
  return {{"output", to_json(output)},
          {"channels_last", output.is_contiguous(at::MemoryFormat::ChannelsLast)},
          {"input_gradient", to_json(input.grad())},
          {"weight_gradient", to_json(weight.grad())},
          {"bias_gradient", to_json(bias.defined() ? bias.grad() : bias)}};
}

}  // namespace

int main() {
  mpbench::parity::answer_lines([](const json& spec) {
    const CpuKernelsGuard guard(
        {.depthwise = mpbench::kernels::parse_depthwise(spec.at("depthwise").get<std::string>())});
    json result = convolve(spec);
    result["label"] = guard.depthwise_label();
    return result;
  });
}

// DepthwiseBackend convolutions and batch norms under CpuKernelsGuard: JSON in, JSON out.
// kernels_parity_test.py compares them with PyTorch's.
#include <torch/types.h>

#include <ctime>

#include "convolve.hpp"
#include "driver.hpp"
#include "mpbench/core/malloc_tuning.hpp"
#include "mpbench/kernels/batch_norm_activation.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::kernels_driver {
namespace {

using kernels::CpuKernelsGuard;

kernels::Activation activation_of(const std::string& name) {
  using kernels::Activation;
  if (name == "relu") return Activation::relu;
  if (name == "relu6") return Activation::relu6;
  return name == "silu" ? Activation::silu : Activation::none;
}

json normalize(const json& spec) {
  const at::ScalarType dtype = to_dtype(spec.at("dtype"));
  const at::Tensor input = leaf(spec.at("input"), dtype, spec.at("channels_last"));
  torch::nn::BatchNormOptions options(input.size(1));
  options.eps(spec.at("eps"));
  options.momentum(spec.at("momentum").is_null() ? std::nullopt
                                                 : std::optional<double>(spec.at("momentum")));
  torch::nn::BatchNorm2d norm(options);
  {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : {std::pair{"weight", norm->weight},
                                       {"bias", norm->bias},
                                       {"mean", norm->running_mean},
                                       {"variance", norm->running_var}}) {
      tensor.copy_(to_tensor(spec.at(name)));
    }
  }
  if (!kernels::fuses_batch_norm(*norm, input)) return {{"fused", false}};
  at::Tensor output;
  for (int i = 0; i < spec.at("steps").get<int>(); ++i) {
    output = kernels::batch_norm_activation(*norm, input, activation_of(spec.at("activation")));
  }
  output.backward(to_tensor(spec.at("output_gradient"), dtype));
  return {{"fused", true},
          {"output", to_json(output)},
          {"channels_last", output.is_contiguous(at::MemoryFormat::ChannelsLast)},
          {"input_gradient", to_json(input.grad())},
          {"weight_gradient", to_json(norm->weight.grad())},
          {"bias_gradient", to_json(norm->bias.grad())},
          {"mean", to_json(norm->running_mean)},
          {"variance", to_json(norm->running_var)},
          {"batches", norm->num_batches_tracked.item<std::int64_t>()}};
}

/// Processor milliseconds of a training step through one operation, forward and backward.
json time_step(const json& spec) {
  const at::ScalarType dtype = to_dtype(spec.at("dtype"));
  const auto shape = spec.at("shape").get<std::vector<std::int64_t>>();
  const auto kernel = spec.at("kernel").get<std::int64_t>();
  const auto stride = spec.at("stride").get<std::int64_t>();
  const at::Tensor input =
      at::randn(shape).to(dtype).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const at::Tensor weight = at::randn({shape[1], 1, kernel, kernel}).to(dtype).requires_grad_();
  torch::nn::BatchNorm2d norm(shape[1]);
  const auto forward = [&] {
    if (spec.at("operation") == "depthwise") {
      const std::vector<std::int64_t> padding(2, kernel / 2);
      return at::conv2d(input, weight, at::Tensor(), stride, padding, 1, shape[1]);
    }
    if (kernels::fuses_batch_norm(*norm, input)) {
      return kernels::batch_norm_activation(*norm, input, kernels::Activation::silu);
    }
    return torch::silu(norm->forward(input));
  };
  const at::Tensor gradient = at::randn_like(forward());
  const std::clock_t before = std::clock();
  forward().backward(gradient);
  return {{"ms", 1e3 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC}};
}

json answer(const json& spec) {
  tune_malloc();
  const CpuKernelsGuard guard({.depthwise = parse_enum<kernels::DepthwiseBackend>(
                                   spec.at("depthwise").get<std::string>(), "depthwise"),
                               .norm_and_pooling = spec.value("fused_norm", true)});
  const std::string command = spec.at("command");
  json result = command == "convolve"    ? convolve(spec)
                : command == "normalize" ? normalize(spec)
                                         : time_step(spec);
  result["label"] = guard.depthwise_label();
  return result;
}

}  // namespace

const Driver driver("kernels", answer);

}  // namespace mpbench::parity::kernels_driver

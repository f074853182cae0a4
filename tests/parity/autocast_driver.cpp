// Writes which dtypes operators give under AutocastGuard, and what nested guards leave behind: one
// JSON object on stdin, one on stdout. autocast_parity_test.py asks torch.autocast the same.
#include <ATen/autocast_mode.h>
#include <torch/types.h>

#include <functional>
#include <memory>

#include "driver.hpp"
#include "mpbench/amp/autocast_guard.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::autocast_driver {
namespace {

using amp::AutocastGuard;

std::string name_of(at::ScalarType dtype) {
  for (const char* name : {"float32", "float64", "float16", "bfloat16"}) {
    if (to_dtype(name) == dtype) {
      return name;
    }
  }
  return c10::toString(dtype);
}

struct Inputs {
  at::Tensor image = at::ones({1, 4, 6, 6});
  at::Tensor kernel = at::ones({4, 4, 3, 3});
  at::Tensor depthwise = at::ones({4, 1, 3, 3});
  at::Tensor channel = at::ones({4});
  at::Tensor matrix = at::ones({3, 3});
  at::Tensor batch = at::ones({2, 3, 3});
  at::Tensor bias = at::ones({3});
  at::Tensor labels = at::zeros({3}, at::kLong);

  /// What the layer before hands on under autocast.
  at::Tensor low(const at::Tensor& tensor) const {
    return at::autocast::is_autocast_enabled(at::kCPU)
               ? tensor.to(at::autocast::get_autocast_dtype(at::kCPU))
               : tensor;
  }
};

using Operator = std::function<at::Tensor(const Inputs&)>;

const std::vector<std::pair<const char*, Operator>>& operators() {
  static const std::vector<std::pair<const char*, Operator>> all{
      {"conv2d", [](const Inputs& in) { return at::conv2d(in.image, in.kernel); }},
      {"conv2d_depthwise",
       [](const Inputs& in) {
         return at::conv2d(in.image, in.depthwise, in.channel, 1, 1, 1, /*groups=*/4);
       }},
      {"conv_transpose2d",
       [](const Inputs& in) { return at::conv_transpose2d(in.image, in.kernel); }},
      {"linear", [](const Inputs& in) { return at::linear(in.matrix, in.matrix, in.bias); }},
      {"mm", [](const Inputs& in) { return at::mm(in.matrix, in.matrix); }},
      {"matmul", [](const Inputs& in) { return at::matmul(in.batch, in.matrix); }},
      {"bmm", [](const Inputs& in) { return at::bmm(in.batch, in.batch); }},
      {"addmm", [](const Inputs& in) { return at::addmm(in.bias, in.matrix, in.matrix); }},
      {"baddbmm", [](const Inputs& in) { return at::baddbmm(in.batch, in.batch, in.batch); }},
      {"batch_norm",
       [](const Inputs& in) {
         return at::batch_norm(in.low(in.image), in.channel, in.channel, in.channel, in.channel,
                               /*training=*/false, 0.1, 1e-5, false);
       }},
      {"relu", [](const Inputs& in) { return at::relu(in.low(in.matrix)); }},
      {"silu", [](const Inputs& in) { return at::silu(in.low(in.matrix)); }},
      {"sigmoid", [](const Inputs& in) { return at::sigmoid(in.low(in.matrix)); }},
      {"max_pool2d", [](const Inputs& in) { return at::max_pool2d(in.low(in.image), 2); }},
      {"avg_pool2d", [](const Inputs& in) { return at::avg_pool2d(in.low(in.image), 2); }},
      {"adaptive_avg_pool2d",
       [](const Inputs& in) {
         return at::adaptive_avg_pool2d(in.low(in.image), {1, 1});
       }},
      {"add_low_and_float32", [](const Inputs& in) { return in.low(in.matrix) + in.matrix; }},
      {"cat_low_and_float32",
       [](const Inputs& in) {
         return at::cat({in.low(in.matrix), in.matrix});
       }},
      {"softmax", [](const Inputs& in) { return at::softmax(in.low(in.matrix), 1); }},
      {"log_softmax", [](const Inputs& in) { return at::log_softmax(in.low(in.matrix), 1); }},
      {"sum", [](const Inputs& in) { return in.low(in.matrix).sum(); }},
      {"exp", [](const Inputs& in) { return at::exp(in.low(in.matrix)); }},
      {"layer_norm", [](const Inputs& in) { return at::layer_norm(in.low(in.matrix), {3}); }},
      {"cross_entropy_loss",
       [](const Inputs& in) { return at::cross_entropy_loss(in.low(in.matrix), in.labels); }},
      {"nll_loss", [](const Inputs& in) { return at::nll_loss(in.low(in.matrix), in.labels); }},
      {"binary_cross_entropy_with_logits",
       [](const Inputs& in) {
         return at::binary_cross_entropy_with_logits(in.low(in.matrix), in.low(in.matrix));
       }},
      {"mse_loss",
       [](const Inputs& in) { return at::mse_loss(in.low(in.matrix), in.low(in.matrix)); }},
      {"smooth_l1_loss",
       [](const Inputs& in) { return at::smooth_l1_loss(in.low(in.matrix), in.low(in.matrix)); }},
      {"interpolate",
       [](const Inputs& in) {
         return at::upsample_bilinear2d(in.low(in.image), {12, 12}, /*align_corners=*/false);
       }},
  };
  return all;
}

json state() {
  return {{"enabled", at::autocast::is_autocast_enabled(at::kCPU)},
          {"dtype", name_of(at::autocast::get_autocast_dtype(at::kCPU))},
          {"cache", at::autocast::is_autocast_cache_enabled()}};
}

/// Opens the guards from `index` on inside one another and notes the state inside and after each.
void nest(const json& guards, std::size_t index, json& states) {
  states.push_back(state());
  if (index == guards.size()) {
    return;
  }
  const json& spec = guards[index];
  {
    const AutocastGuard guard(at::kCPU, to_dtype(spec.at("dtype")), spec.at("enabled"),
                              spec.at("cache"));
    nest(guards, index + 1, states);
  }
  states.push_back(state());
}

/// A product with a weight that changes inside the guard: a cached cast shows the old weight.
json cache_trace(bool cache) {
  const at::Tensor input = at::ones({1, 2});
  const at::Tensor weight = at::ones({2, 2}).requires_grad_();
  json seen = json::array();
  for (int guard_number = 0; guard_number < 2; ++guard_number) {
    const AutocastGuard guard(at::kCPU, at::kBFloat16, true, cache);
    for (int i = 0; i < 2; ++i) {
      seen.push_back(at::mm(input, weight).to(at::kFloat).sum().item<double>());
      const at::NoGradGuard no_grad;
      weight.add_(1.0);
    }
  }
  return seen;
}

json answer(const json& script) {
  json traces;
  for (const json& spec : script.at("dtypes")) {
    const AutocastGuard guard(at::kCPU, to_dtype(spec.at("dtype")), spec.at("enabled"));
    json trace;
    const Inputs inputs;
    for (const auto& [name, compute] : operators()) {
      trace[name] = name_of(compute(inputs).scalar_type());
    }
    traces["dtypes"].push_back(trace);
  }
  for (const json& guards : script.at("nests")) {
    json states = json::array();
    nest(guards, 0, states);
    traces["nests"].push_back(states);
  }
  traces["cached"] = cache_trace(true);
  traces["uncached"] = cache_trace(false);
  return traces;
}

}  // namespace

const Driver driver("autocast", answer);

}  // namespace mpbench::parity::autocast_driver

// Clips gradients, averages weights, and trains a small network with everything a step may have:
// one JSON object a line on stdin, one on stdout. ema_clip_parity_test.py does the same in Python.
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "../../src/train/ema.hpp"
#include "../../src/train/grad_clip.hpp"
#include "../../src/train/optimizer.hpp"
#include "driver.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/train/loss.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::ema_clip_driver {
namespace {

json clip(const json& request) {
  std::vector<at::Tensor> parameters;
  for (const json& gradient : request.at("gradients")) {
    at::Tensor& parameter = parameters.emplace_back(at::zeros({}));
    if (gradient.is_null()) continue;
    const at::Tensor value = to_tensor(gradient, to_dtype(gradient.at("dtype")));
    parameter = at::zeros_like(value).requires_grad_();
    parameter.mutable_grad() = value;
  }
  const at::Tensor norm = train::clip_grad_norm_(parameters, parity::to_double(request.at("max")));
  json gradients = json::array();
  for (const at::Tensor& parameter : parameters) gradients.push_back(to_json(parameter.grad()));
  return {{"norm", to_json(norm)}, {"gradients", gradients}};
}

torch::nn::Sequential make_network(int outputs) {
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).bias(false)),
                               torch::nn::BatchNorm2d(4), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Linear(4 * 4 * 4, outputs));
}

template <typename Visitor>
void visit_state(const torch::nn::Sequential& network, Visitor visit) {
  for (const auto& named : network->named_parameters()) visit(named.key(), named.value());
  for (const auto& named : network->named_buffers()) visit(named.key(), named.value());
}

void set_state(const torch::nn::Sequential& network, const json& state) {
  const at::NoGradGuard no_grad;
  visit_state(network, [&](const std::string& name, const at::Tensor& tensor) {
    tensor.copy_(to_tensor(state.at(name), tensor.scalar_type()));
  });
}

json state_of(const torch::nn::Sequential& network) {
  json state;
  visit_state(network, [&](const std::string& name, const at::Tensor& tensor) {
    state[name] = to_json(tensor);
  });
  return state;
}

json state_of(const train::Ema& ema) {
  json state;
  for (const auto& [name, tensor] : ema.state()) state[name] = to_json(tensor);
  return state;
}

json average(const json& request) {
  torch::nn::Sequential network = make_network(3);
  set_state(network, request.at("states").at(0));
  train::Ema ema(*network, request.at("decay"));
  json answer = json::array({state_of(ema)});
  for (const json& state : request.at("states")) {
    set_state(network, state);
    ema.update();
    answer.push_back(state_of(ema));
  }
  return answer;
}

train::Loss loss_of(const json& spec) {
  train::Loss loss{{.task = train::Task::multiclass}};
  loss.kind = parse_enum<train::LossKind>(spec.at("kind").get<std::string>(), "kind");
  loss.label_smoothing = spec.at("label_smoothing");
  return loss;
}

json train_network(const json& request) {
  torch::nn::Sequential network = make_network(3);
  set_state(network, request.at("state"));
  const auto optimizer = train::make_optimizer(
      network->parameters(), {.kind = parse_enum<train::OptimizerKind>(
                                  request.at("optimizer").get<std::string>(), "optimizer"),
                              .lr = request.at("lr"),
                              .weight_decay = 0.01,
                              .momentum = request.at("momentum"),
                              .nesterov = request.at("momentum") > 0,
                              .fused = request.at("fused")});
  amp::GradScaler scaler({.init_scale = request.at("init_scale"), .growth_interval = 5});
  train::Ema ema(*network, request.at("decay"));
  const train::Loss criterion = loss_of(request.at("loss"));
  json steps = json::array();
  for (const json& batch : request.at("batches")) {
    optimizer->zero_grad();
    const at::Tensor logits = network->forward(to_tensor(batch.at("images")));
    const at::Tensor loss = criterion(logits, to_tensor(batch.at("labels"), at::kLong));
    scaler.scale(loss * parity::to_double(batch.at("factor"))).backward();
    scaler.unscale_(*optimizer);
    const at::Tensor norm = train::clip_grad_norm_(network->parameters(), request.at("max_norm"));
    (void)scaler.step(*optimizer);
    scaler.update();
    ema.update();
    steps.push_back(
        {{"loss", to_json(loss)}, {"norm", to_json(norm)}, {"scale", scaler.get_scale()}});
  }
  return {{"steps", steps},
          {"state", state_of(network)},
          {"ema", state_of(ema)},
          {"skipped", scaler.skipped_steps()}};
}

json answer(const json& request) {
  const std::string what = request.at("what");
  if (what == "clip") return clip(request);
  if (what == "average") return average(request);
  return train_network(request);
}

}  // namespace

const Driver driver("ema_clip", answer);

}  // namespace mpbench::parity::ema_clip_driver

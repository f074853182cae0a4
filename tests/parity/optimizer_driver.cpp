// Runs an optimizer over given gradients and writes the parameters after each step: one JSON object
// on stdin, one on stdout. optimizer_parity_test.py does the same with torch.optim.
#include <torch/types.h>

#include "../../src/train/grad_clip.hpp"
#include "../../src/train/optimizer.hpp"
#include "driver.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::optimizer_driver {
namespace {

json train(const json& script) {
  const json& spec = script.at("options");
  train::OptimizerOptions options;
  options.kind = parse_enum<train::OptimizerKind>(spec.at("name").get<std::string>(), "name");
  options.lr = spec.at("lr");
  options.weight_decay = spec.value("weight_decay", 0.0);
  options.momentum = spec.value("momentum", 0.0);
  options.beta1 = spec.value("beta1", 0.9);
  options.beta2 = spec.value("beta2", 0.999);
  options.eps = spec.value("eps", 1e-8);
  options.nesterov = spec.value("nesterov", false);
  options.fused = spec.value("fused", true);
  options.tensor_lr = spec.value("tensor_lr", false);

  std::vector<at::Tensor> params;
  for (const json& param : script.at("params")) {
    at::Tensor values = to_tensor(param, to_dtype(param.value("dtype", "float32")));
    if (script.value("channels_last", false) && values.dim() == 4) {
      values = values.contiguous(at::MemoryFormat::ChannelsLast);
    }
    params.push_back(values.requires_grad_());
  }
  const auto optimizer = train::make_optimizer(params, options);

  amp::GradScalerOptions scaling;
  scaling.enabled = script.contains("scaler");
  if (scaling.enabled) {
    scaling.init_scale = script.at("scaler").at("init_scale");
    scaling.growth_interval = script.at("scaler").at("growth_interval");
  }
  amp::GradScaler scaler(scaling);

  json after = json::array();
  for (const json& step : script.at("steps")) {
    optimizer->zero_grad();
    optimizer->set_lr(step.at("lr"));
    (void)scaler.scale(at::ones({}));
    for (std::size_t i = 0; i < params.size(); ++i) {
      const json& gradient = step.at("gradients").at(i);
      if (!gradient.is_null()) {
        params[i].mutable_grad() =
            to_tensor(gradient, params[i].scalar_type()) * scaler.get_scale();
      }
    }
    if (script.contains("max_norm")) {
      scaler.unscale_(*optimizer);
      (void)train::clip_grad_norm_(params, script.at("max_norm"));
    }
    (void)scaler.step(*optimizer);
    scaler.update();
    json values = json::array();
    for (const at::Tensor& param : params) {
      values.push_back(to_json(param));
    }
    after.push_back(values);
  }
  json state;
  for (const auto& [name, tensor] : optimizer->state()) {
    state[name] = to_json(tensor);
  }
  return {{"params", after},
          {"state", state},
          {"skipped_steps", scaler.skipped_steps()},
          {"scale", scaler.get_scale()}};
}

}  // namespace

const Driver driver("optimizer", train);

}  // namespace mpbench::parity::optimizer_driver

// Plays a list of operations on a GradScaler and real optimizers, and writes what came of each: one
// JSON object on stdin, one JSON array on stdout. grad_scaler_parity_test.py plays the same list on
// torch.amp.GradScaler.
#include <torch/nn/utils/clip_grad.h>
#include <torch/types.h>

#include <memory>

#include "../../src/train/optimizer.hpp"
#include "driver.hpp"
#include "mpbench/amp/grad_scaler.hpp"
#include "mpbench/core/error.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::grad_scaler_driver {
namespace {

using amp::GradScaler;
using amp::GradScalerOptions;
using amp::StepOutcome;

struct Player {
  GradScalerOptions options;
  std::unique_ptr<GradScaler> scaler;
  std::vector<std::unique_ptr<train::Optimizer>> optimizers;
};

GradScalerOptions scaler_options(const json& spec) {
  GradScalerOptions options;
  options.init_scale = spec.value("init_scale", options.init_scale);
  options.growth_factor = spec.value("growth_factor", options.growth_factor);
  options.backoff_factor = spec.value("backoff_factor", options.backoff_factor);
  options.growth_interval = spec.value("growth_interval", options.growth_interval);
  options.enabled = spec.value("enabled", options.enabled);
  return options;
}

std::unique_ptr<train::Optimizer> optimizer(const json& spec) {
  train::OptimizerOptions options;
  options.kind = parse_enum<train::OptimizerKind>(spec.at("name").get<std::string>(), "name");
  options.lr = spec.at("lr");
  options.momentum = spec.value("momentum", 0.0);
  options.fused = spec.at("fused");
  std::vector<at::Tensor> params;
  for (const json& param : spec.at("params")) {
    params.push_back(to_tensor(param, to_dtype(spec.value("dtype", "float32"))).requires_grad_());
  }
  return train::make_optimizer(params, options);
}

at::Tensor gradient(const json& spec, at::ScalarType dtype, double scale) {
  if (spec.is_null()) {
    return {};
  }
  if (spec.contains("indices")) {
    const auto indices = spec.at("indices").get<std::vector<std::int64_t>>();
    return at::sparse_coo_tensor(torch::tensor(indices).unsqueeze(0),
                                 to_tensor(spec, dtype) * scale,
                                 {spec.at("size").get<std::int64_t>()});
  }
  return to_tensor(spec, dtype) * scale;
}

json play(Player& player, const json& operation) {
  const std::string name = operation.at("op");
  GradScaler& scaler = *player.scaler;
  const auto target = [&]() -> train::Optimizer& {
    return *player.optimizers.at(operation.value("optimizer", std::size_t{0}));
  };
  if (name == "scale") {
    return to_json(scaler.scale(to_tensor(operation.at("tensor"))));
  }
  if (name == "scale_list") {
    std::vector<at::Tensor> outputs;
    for (const json& tensor : operation.at("tensors")) {
      outputs.push_back(to_tensor(tensor));
    }
    json result = json::array();
    for (const at::Tensor& scaled : scaler.scale(outputs)) {
      result.push_back(to_json(scaled));
    }
    return result;
  }
  if (name == "gradients") {  // what a backward pass from the scaled loss would leave
    const auto& params = target().parameters();
    for (std::size_t i = 0; i < params.size(); ++i) {
      params[i].mutable_grad() =
          gradient(operation.at("gradients").at(i), params[i].scalar_type(), scaler.get_scale());
    }
    return nullptr;
  }
  if (name == "unscale") {
    scaler.unscale_(target());
    return nullptr;
  }
  if (name == "clip") {
    return to_json(torch::nn::utils::clip_grad_norm_(target().parameters(),
                                                     operation.at("max_norm").get<double>()));
  }
  if (name == "step") {
    switch (scaler.step(target())) {
      case StepOutcome::stepped:
        return "stepped";
      case StepOutcome::skipped:
        return "skipped";
      case StepOutcome::unknown_until_synchronised:
        return "unknown";
    }
  }
  if (name == "update") {
    if (operation.contains("new_scale")) {
      scaler.update(operation.at("new_scale").get<double>());
    } else if (operation.contains("tensor")) {
      scaler.update(to_tensor(operation.at("tensor"))
                        .requires_grad_(operation.value("requires_grad", false)));
    } else {
      scaler.update();
    }
    return nullptr;
  }
  if (name == "round_trip") {  // through text, into a scaler made from the same options
    const std::string text = scaler.state().dump();
    player.scaler = std::make_unique<GradScaler>(player.options);
    player.scaler->load_state(json::parse(text));
    return json::parse(text);
  }
  if (name == "load") {
    scaler.load_state(operation.at("state"));
    return nullptr;
  }
  throw std::runtime_error("no operation: " + name);
}

json observe(const Player& player) {
  json parameters = json::array();
  json gradients = json::array();
  for (const auto& each : player.optimizers) {
    for (const at::Tensor& parameter : each->parameters()) {
      parameters.push_back(to_json(parameter));
      gradients.push_back(to_json(parameter.grad()));
    }
  }
  return {{"scale", to_json(player.scaler->get_scale())},
          {"growth_tracker", player.scaler->get_growth_tracker()},
          {"skipped_steps", player.scaler->skipped_steps()},
          {"state", player.scaler->state()},
          {"parameters", parameters},
          {"gradients", gradients}};
}

json play_script(const json& script) {
  Player player;
  json records = json::array();
  try {
    player.options = scaler_options(script.at("scaler"));
    player.scaler = std::make_unique<GradScaler>(player.options);
  } catch (const Error& error) {
    return json::array({{{"error", error.what()}}});
  }
  for (const json& spec : script.at("optimizers")) {
    player.optimizers.push_back(optimizer(spec));
  }
  for (const json& operation : script.at("operations")) {
    json result;
    json error;
    try {
      result = play(player, operation);
    } catch (const Error& thrown) {
      error = thrown.what();
    }
    json record = observe(player);
    record["result"] = result;
    record["error"] = error;
    records.push_back(record);
  }
  return records;
}

}  // namespace

const Driver driver("grad_scaler", play_script);

}  // namespace mpbench::parity::grad_scaler_driver

// Reads and writes weights: one line of JSON on stdin, one on stdout, the tensors in files.
// weights_parity_test.py makes the files with torch.save and safetensors, and reads ours.
#include "mpbench/nn/weights.hpp"

#include <torch/types.h>

#include "../support/state_dict_file.hpp"
#include "driver.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::weights_driver {
namespace {

/// {"path"} -> the names that were read; with {"save"}, the tensors are written there.
json read(const json& request) {
  const auto state = nn::read_state_dict(request.at("path").get<std::string>());
  if (request.contains("save")) {
    nn::write_state_dict(request.at("save").get<std::string>(), state.tensors);
  }
  json dtypes = json::object();
  for (const auto& [name, tensor] : state.tensors)
    dtypes[printable_text(name)] = c10::toString(tensor.scalar_type());
  json skipped = json::array();
  for (const auto& name : state.skipped) skipped.push_back(printable_text(name));
  return {{"dtypes", dtypes},
          {"wrapper", printable_text(state.wrapper)},
          {"wrapper_note", printable_text(state.wrapper_note)},
          {"prefix", printable_text(state.prefix)},
          {"left_aside", skipped}};
}

/// {"path", "model"} -> the report; with {"save"}, the model's weights are written there; with
/// {"images", "logits"}, what the model makes of the one is written to the other.
json load(const json& request) {
  auto model = nn::make_model({.name = request.at("model"),
                               .in_channels = request.value("in_channels", 3),
                               .outputs = request.value("outputs", 1000)});
  if (request.value("channels_last", false)) nn::to_channels_last(*model);
  const auto report = nn::load_weights(*model, request.at("path").get<std::string>(),
                                       {.require_head = request.value("require_head", false)});
  if (request.contains("save")) {
    nn::save_weights(*model, request.at("save").get<std::string>());
  }
  if (request.contains("images")) {
    const torch::NoGradGuard no_grad;
    model->eval();
    const auto images = nn::read_state_dict(request.at("images").get<std::string>()).tensors;
    nn::write_state_dict(request.at("logits").get<std::string>(),
                         {{"logits", model->forward(images.at("images"))}});
  }
  return {{"loaded", report.loaded},
          {"head", report.head},
          {"stem", report.stem},
          {"converted", report.converted},
          {"names_from_timm", report.names_from_timm},
          {"origin", report.origin},
          {"notes", report.notes},
          {"warnings", report.warnings},
          {"left_aside", report.skipped},
          {"line", report.line()}};
}

json answer(const json& request) {
  try {
    return request.contains("model") ? load(request) : read(request);
  } catch (const InputError& error) {
    return {{"field", error.field()}, {"problem", error.problem()}};
  }
}

}  // namespace

const Driver driver("weights", answer);

}  // namespace mpbench::parity::weights_driver

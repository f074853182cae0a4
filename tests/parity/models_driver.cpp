// Makes a model, and passes a batch through it and back: one line of JSON on stdin, one on stdout,
// the tensors in safetensors files. models_parity_test.py asks torchvision's models the same.
#include <torch/csrc/profiler/standalone/execution_trace_observer.h>
#include <torch/nn/functional/loss.h>
#include <torch/types.h>

#include <optional>

#include "../support/state_dict_file.hpp"
#include "driver.hpp"
#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "mpbench/nn/model.hpp"
#include "mpbench/nn/state_dict.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::models_driver {
namespace {

using nn::TensorsByName;

namespace execution_trace = torch::profiler::impl;

/// Writes which operators ran, with the dtypes they were given.
class OperatorTrace {
 public:
  explicit OperatorTrace(const std::string& path) {
    execution_trace::addExecutionTraceObserver(path);
    execution_trace::enableExecutionTraceObserver();
  }
  ~OperatorTrace() {
    execution_trace::disableExecutionTraceObserver();
    execution_trace::removeExecutionTraceObserver();
  }
  OperatorTrace(const OperatorTrace&) = delete;
  OperatorTrace& operator=(const OperatorTrace&) = delete;
};

std::shared_ptr<nn::ImageClassifier> make_model(const json& request) {
  torch::manual_seed(request.at("seed").get<std::uint64_t>());
  auto model = nn::make_model({
      .name = request.at("name"),
      .in_channels = request.at("in_channels"),
      .outputs = request.at("outputs"),
      .activation = request.value("activation", "silu"),
      .squeeze_excite = request.value("squeeze_excite", "transformed"),
      .origin = request.value("origin", "torchvision"),
  });
  const auto dtype = to_dtype(request.value("dtype", "float32"));
  for (auto& [name, tensor] : nn::state_of(*model)) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(dtype));  // not the counts of batches
  }
  if (request.value("channels_last", false)) nn::to_channels_last(*model);
  return model;
}

void load(torch::nn::Module& model, const TensorsByName& file) {
  const torch::NoGradGuard no_grad;
  const TensorsByName state = nn::state_of(model);
  for (const auto& [name, tensor] : state) {
    tensor.copy_(file.at(name));
  }
  if (state.size() != file.size()) {
    throw Error("the file has tensors that the model has not");
  }
}

/// A training or a validation pass; leaves the gradients in the model.
torch::Tensor pass(nn::ImageClassifier& model, const json& request) {
  const auto batch = nn::read_state_dict(request.at("batch").get<std::string>()).tensors;
  const bool train = request.at("train");
  model.train(train);
  const bool channels_last = request.value("channels_last", false);
  const torch::Tensor images = batch.at("images").contiguous(
      channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
  torch::manual_seed(request.at("seed").get<std::uint64_t>());

  std::optional<OperatorTrace> trace;
  if (request.contains("trace")) trace.emplace(request.at("trace"));
  const torch::AutoGradMode gradients(train);
  torch::Tensor logits;
  {
    const auto dtype = to_dtype(request.value("autocast", "float32"));
    const amp::AutocastGuard autocast(at::kCPU, dtype, dtype != at::kFloat);
    logits = model.forward(images);
  }
  if (train && request.value("backward", true)) {
    torch::nn::functional::cross_entropy(
        logits.to(at::promote_types(logits.scalar_type(), at::kFloat)), batch.at("labels"))
        .backward();
  }
  return logits.detach();
}

json answer(const json& request) {
  std::optional<kernels::CpuKernelsGuard> own_kernels;
  if (request.value("own_kernels", false)) {
    own_kernels.emplace(kernels::CpuKernelOptions{.depthwise = kernels::DepthwiseBackend::automatic,
                                                  .norm_and_pooling = true});
  }
  const auto model = make_model(request);
  if (request.contains("state")) {
    load(*model, nn::read_state_dict(request.at("state").get<std::string>()).tensors);
  }
  TensorsByName results;
  if (request.contains("batch")) results["logits"] = pass(*model, request);
  json parameters = json::array();
  for (const auto& parameter : model->named_parameters()) {
    parameters.push_back(parameter.key());
    if (parameter->grad().defined()) results["gradient." + parameter.key()] = parameter->grad();
  }
  for (const auto& [name, tensor] : nn::state_of(*model)) {
    results["state." + name] = tensor.detach();
  }
  nn::write_state_dict(request.at("results").get<std::string>(), results);
  return {{"parameters", parameters},
          {"parameter_count", nn::count_parameters(*model)},
          {"native_resolution", nn::native_resolution(request.at("name"))},
          {"stem", model->stem()},
          {"head", model->head()}};
}

}  // namespace

const Driver driver("models", answer);

}  // namespace mpbench::parity::models_driver

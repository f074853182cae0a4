// Computes a loss and its gradient on given logits: one JSON object a line on stdin, one on stdout.
#include <torch/types.h>

#include "driver.hpp"
#include "mpbench/amp/autocast_guard.hpp"
#include "mpbench/train/loss.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::loss_driver {
namespace {

std::optional<double> optional(const json& request, const char* key) {
  if (!request.contains(key)) return std::nullopt;
  return request.at(key).get<double>();
}

json answer(const json& request) {
  using train::Task;
  const train::Loss loss{
      {.task = request.at("task") == "binary" ? Task::binary : Task::multiclass,
       .pos_weight = optional(request, "pos_weight"),
       .kind = parse_enum<train::LossKind>(request.value("kind", "cross-entropy"), "kind"),
       .focal_gamma = request.value("focal_gamma", 2.0),
       .focal_alpha = optional(request, "focal_alpha"),
       .label_smoothing = request.value("label_smoothing", 0.0)}};
  validate(loss);
  const at::Tensor logits =
      to_tensor(request.at("logits"), to_dtype(request.value("dtype", "float32"))).requires_grad_();
  const at::Tensor labels = to_tensor(request.at("labels"), at::kLong);
  const amp::AutocastGuard autocast(at::kCPU, at::kBFloat16, request.value("autocast", false));
  const at::Tensor value = loss(logits, labels);
  value.backward();
  return {{"loss", to_json(value)}, {"gradient", to_json(logits.grad())}};
}

}  // namespace

const Driver driver("loss", answer);

}  // namespace mpbench::parity::loss_driver

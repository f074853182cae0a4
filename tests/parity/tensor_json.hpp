#pragma once

#include <torch/types.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

/// Tensors in the JSON that the parity drivers exchange with Python: {"shape": [...], "values":
/// [...]}, the values row-major; "inf", "-inf" and "nan" stand for what JSON has no number for.
namespace mpbench::parity {

inline double to_double(const nlohmann::json& value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text == "inf" || text == "-inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return text == "inf" ? infinity : -infinity;
  }
  if (text == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  throw std::runtime_error("no number: " + text);
}

inline at::Tensor to_tensor(const nlohmann::json& record, at::ScalarType dtype = at::kFloat) {
  std::vector<double> values;
  for (const auto& value : record.at("values")) {
    values.push_back(to_double(value));
  }
  return torch::tensor(values, at::kDouble)
      .to(dtype)
      .reshape(record.at("shape").get<std::vector<std::int64_t>>());
}

/// A tensor that keeps its gradient.
inline at::Tensor leaf(const nlohmann::json& record, at::ScalarType dtype, bool channels_last) {
  at::Tensor tensor = to_tensor(record, dtype);
  if (channels_last && tensor.dim() == 4) {
    // Not contiguous(): with one channel that changes nothing, and the convolution would choose
    // NCHW.
    tensor = tensor.to(tensor.options(), false, false, at::MemoryFormat::ChannelsLast);
  }
  return tensor.requires_grad_();
}

inline nlohmann::json to_json(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  return value;
}

/// Null for an undefined tensor.
inline nlohmann::json to_json(const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return nullptr;
  }
  const at::Tensor dense =
      (tensor.is_sparse() ? tensor.to_dense() : tensor).detach().to(at::kDouble).contiguous();
  nlohmann::json values = nlohmann::json::array();
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    values.push_back(to_json(dense.const_data_ptr<double>()[i]));
  }
  return {{"shape", dense.sizes().vec()},
          {"dtype", c10::toString(tensor.scalar_type())},
          {"values", values}};
}

inline at::ScalarType to_dtype(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  throw std::runtime_error("no dtype: " + name);
}

}  // namespace mpbench::parity

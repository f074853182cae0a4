#include "operator_cost.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "operator_names.hpp"

namespace mpbench::profile {
namespace {

double elements(const Shape& shape) {
  double product = 1;
  for (const std::int64_t size : shape) product *= static_cast<double>(size);
  return product;
}

double bytes_of(const ProfiledEvent& call, std::size_t argument) {
  if (argument >= call.shapes.size() || argument >= call.dtypes.size()) return 0;
  return elements(call.shapes[argument]) * bytes_of_dtype(call.dtypes[argument]);
}

bool has_shapes(const ProfiledEvent& call, std::size_t arguments, std::size_t dimensions) {
  if (call.shapes.size() < arguments) return false;
  for (std::size_t i = 0; i < arguments; ++i) {
    if (call.shapes[i].size() < dimensions) return false;
  }
  return true;
}

/// 2 for a multiplication and an addition, for each place of the output, or, where it is
/// transposed, of the input, and each weight of a place.
double convolution_flop(const Shape& places, const Shape& weight) {
  double spatial = 1;
  for (std::size_t i = 2; i < places.size(); ++i) spatial *= static_cast<double>(places[i]);
  return 2 * static_cast<double>(places[0]) * spatial * elements(weight);
}

OperatorCost convolution_cost(const ProfiledEvent& call) {
  if (!call.convolution || !has_shapes(call, 2, 3)) return {};
  const Shape &input = call.shapes[0], &weight = call.shapes[1];
  const Shape output = convolution_output(input, weight, *call.convolution);
  if (output.empty()) return {};
  const double element = bytes_of_dtype(call.dtypes[0]);
  return {.flop = convolution_flop(call.convolution->transposed ? input : output, weight),
          .bytes = element * (elements(input) + elements(weight) + elements(output))};
}

/// Its arguments are the output's gradient, the input and the weight.
OperatorCost convolution_backward_cost(const ProfiledEvent& call) {
  if (!call.convolution || !has_shapes(call, 3, 3)) return {};
  const ConvolutionSettings& settings = *call.convolution;
  const Shape &gradient = call.shapes[0], &input = call.shapes[1], &weight = call.shapes[2];
  const double one = convolution_flop(settings.transposed ? input : gradient, weight);
  const double all = elements(gradient) + elements(input) + elements(weight);
  const int parts = (settings.data_gradient ? 1 : 0) + (settings.weight_gradient ? 1 : 0);
  return {.flop = one * parts, .bytes = bytes_of_dtype(call.dtypes[0]) * all * parts};
}

/// Which argument of a matrix product is its first factor; nothing for another operator.
std::optional<std::size_t> first_factor(std::string_view name) {
  constexpr auto products = std::to_array<std::pair<std::string_view, std::size_t>>(
      {{"aten::mm", 0}, {"aten::bmm", 0}, {"aten::addmm", 1}, {"aten::baddbmm", 1}});
  for (const auto& [product, first] : products) {
    if (product == name) return first;
  }
  return std::nullopt;
}

/// [m, k] times [k, n], or a batch of them; the first of the two is that argument.
OperatorCost matrix_product_cost(const ProfiledEvent& call, std::size_t first) {
  if (!has_shapes(call, first + 2, 0) || call.dtypes.size() < first + 2) return {};
  const Shape &a = call.shapes[first], &b = call.shapes[first + 1];
  if (a.size() < 2 || b.size() != a.size()) return {};
  const double product = elements(a) * static_cast<double>(b.back());
  const double output = product / static_cast<double>(std::max<std::int64_t>(1, a.back()));
  return {.flop = 2 * product,
          .bytes = bytes_of(call, first) + bytes_of(call, first + 1) +
                   output * bytes_of_dtype(call.dtypes[first])};
}

/// Reads its tensors and writes one of the first one's size.
OperatorCost elementwise_cost(const ProfiledEvent& call) {
  double bytes = 0;
  for (std::size_t i = 0; i < call.shapes.size(); ++i) {
    if (!call.shapes[i].empty()) bytes += bytes_of(call, i);
  }
  if (bytes == 0 || call.shapes[0].empty()) return {};
  return {.flop = {}, .bytes = bytes + bytes_of(call, 0)};
}

}  // namespace

Shape convolution_output(const Shape& input, const Shape& weight,
                         const ConvolutionSettings& settings) {
  const std::size_t spatial = input.size() - 2;
  const bool fits = input.size() >= 3 && weight.size() == input.size() &&
                    settings.stride.size() == spatial && settings.padding.size() == spatial &&
                    settings.dilation.size() == spatial;
  if (!fits) return {};
  // A transposed one has its outputs in the weight's second dimension.
  Shape output{input[0], settings.transposed ? weight[1] * settings.groups : weight[0]};
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t kernel = settings.dilation[i] * (weight[i + 2] - 1) + 1;
    const std::int64_t stride = std::max<std::int64_t>(1, settings.stride[i]);
    output.push_back(settings.transposed
                         ? (input[i + 2] - 1) * stride - 2 * settings.padding[i] + kernel
                         : (input[i + 2] + 2 * settings.padding[i] - kernel) / stride + 1);
  }
  return output;
}

bool is_depthwise(const Shape& input, const ConvolutionSettings& settings) {
  return settings.groups > 1 && input.size() >= 2 && settings.groups == input[1];
}

OperatorCost cost_of(const ProfiledEvent& call) {
  const auto named = find_operator(call.name);
  if (!is_operator(call.name) || (named && named->chooses)) return {};
  if (!named) return elementwise_cost(call);
  switch (named->kind) {
    case OperatorKind::convolution_forward:
    case OperatorKind::depthwise:
      return convolution_cost(call);
    case OperatorKind::convolution_backward:
      return convolution_backward_cost(call);
    case OperatorKind::linear:
      if (const auto first = first_factor(call.name)) return matrix_product_cost(call, *first);
      return {};
    default:
      return elementwise_cost(call);
  }
}

}  // namespace mpbench::profile

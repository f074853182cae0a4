#include "operator_names.hpp"

#include <algorithm>
#include <array>

namespace mpbench::profile {
namespace {

struct Entry {
  std::string_view name;
  OperatorKind kind;
  bool chooses = false;
};

constexpr bool chooses = true;

constexpr auto operators = std::to_array<Entry>({
    {"aten::conv1d", OperatorKind::convolution_forward, chooses},
    {"aten::conv2d", OperatorKind::convolution_forward, chooses},
    {"aten::conv3d", OperatorKind::convolution_forward, chooses},
    {"aten::convolution", OperatorKind::convolution_forward},
    {"aten::_convolution", OperatorKind::convolution_forward},
    {"aten::mkldnn_convolution", OperatorKind::convolution_forward},
    {"aten::thnn_conv2d", OperatorKind::convolution_forward},
    {"aten::_slow_conv2d_forward", OperatorKind::convolution_forward},
    {"aten::cudnn_convolution", OperatorKind::convolution_forward},
    {"aten::_conv_depthwise2d", OperatorKind::depthwise},
    {"aten::convolution_backward", OperatorKind::convolution_backward},
    {"aten::_slow_conv2d_backward", OperatorKind::convolution_backward},
    {"aten::batch_norm", OperatorKind::norm_activation, chooses},
    {"aten::_batch_norm_impl_index", OperatorKind::norm_activation, chooses},
    {"aten::native_batch_norm", OperatorKind::norm_activation},
    {"aten::native_batch_norm_backward", OperatorKind::norm_activation},
    {"aten::cudnn_batch_norm", OperatorKind::norm_activation},
    {"aten::cudnn_batch_norm_backward", OperatorKind::norm_activation},
    {"aten::layer_norm", OperatorKind::norm_activation, chooses},
    {"aten::native_layer_norm", OperatorKind::norm_activation},
    {"aten::native_layer_norm_backward", OperatorKind::norm_activation},
    {"aten::group_norm", OperatorKind::norm_activation, chooses},
    {"aten::native_group_norm", OperatorKind::norm_activation},
    {"aten::native_group_norm_backward", OperatorKind::norm_activation},
    {"aten::relu", OperatorKind::norm_activation},
    {"aten::relu_", OperatorKind::norm_activation},
    {"aten::threshold_backward", OperatorKind::norm_activation},
    {"aten::clamp_min", OperatorKind::norm_activation},
    {"aten::clamp_min_", OperatorKind::norm_activation},
    {"aten::silu", OperatorKind::norm_activation},
    {"aten::silu_", OperatorKind::norm_activation},
    {"aten::silu_backward", OperatorKind::norm_activation},
    {"aten::sigmoid", OperatorKind::norm_activation},
    {"aten::sigmoid_", OperatorKind::norm_activation},
    {"aten::sigmoid_backward", OperatorKind::norm_activation},
    {"aten::hardtanh", OperatorKind::norm_activation},
    {"aten::hardtanh_", OperatorKind::norm_activation},
    {"aten::hardtanh_backward", OperatorKind::norm_activation},
    {"aten::hardswish", OperatorKind::norm_activation},
    {"aten::hardswish_", OperatorKind::norm_activation},
    {"aten::hardswish_backward", OperatorKind::norm_activation},
    {"aten::hardsigmoid", OperatorKind::norm_activation},
    {"aten::hardsigmoid_", OperatorKind::norm_activation},
    {"aten::hardsigmoid_backward", OperatorKind::norm_activation},
    {"aten::gelu", OperatorKind::norm_activation},
    {"aten::gelu_backward", OperatorKind::norm_activation},
    {"mpbench::batch_norm_activation", OperatorKind::norm_activation},
    {"mpbench::batch_norm_activation_backward", OperatorKind::norm_activation},
    {"aten::max_pool2d", OperatorKind::pooling, chooses},
    {"aten::max_pool2d_with_indices", OperatorKind::pooling},
    {"aten::max_pool2d_with_indices_backward", OperatorKind::pooling},
    {"aten::mkldnn_max_pool2d", OperatorKind::pooling},
    {"aten::mkldnn_max_pool2d_backward", OperatorKind::pooling},
    {"aten::avg_pool2d", OperatorKind::pooling},
    {"aten::avg_pool2d_backward", OperatorKind::pooling},
    {"aten::adaptive_avg_pool2d", OperatorKind::pooling, chooses},
    {"aten::_adaptive_avg_pool2d", OperatorKind::pooling},
    {"aten::_adaptive_avg_pool2d_backward", OperatorKind::pooling},
    {"mpbench::max_pool_2x2", OperatorKind::pooling},
    {"mpbench::max_pool_2x2_backward", OperatorKind::pooling},
    {"aten::linear", OperatorKind::linear, chooses},
    {"aten::matmul", OperatorKind::linear, chooses},
    {"aten::mm", OperatorKind::linear},
    {"aten::addmm", OperatorKind::linear},
    {"aten::bmm", OperatorKind::linear},
    {"aten::baddbmm", OperatorKind::linear},
    {"aten::mkldnn_linear", OperatorKind::linear},
    {"aten::scaled_dot_product_attention", OperatorKind::linear, chooses},
    {"aten::_scaled_dot_product_flash_attention_for_cpu", OperatorKind::linear},
    {"aten::_scaled_dot_product_flash_attention_for_cpu_backward", OperatorKind::linear},
    {"aten::_scaled_dot_product_flash_attention", OperatorKind::linear},
    {"aten::_scaled_dot_product_flash_attention_backward", OperatorKind::linear},
    {"aten::binary_cross_entropy_with_logits", OperatorKind::loss},
    {"aten::cross_entropy_loss", OperatorKind::loss},
    {"aten::_log_softmax", OperatorKind::loss},
    {"aten::_log_softmax_backward_data", OperatorKind::loss},
    {"aten::nll_loss_forward", OperatorKind::loss},
    {"aten::nll_loss_backward", OperatorKind::loss},
    {"aten::log_sigmoid_forward", OperatorKind::loss},
    {"aten::log_sigmoid_backward", OperatorKind::loss},
});

constexpr auto copies = std::to_array<std::string_view>(
    {"aten::to", "aten::_to_copy", "aten::copy_", "aten::clone", "aten::contiguous",
     "aten::_autocast_to_reduced_precision", "aten::_autocast_to_full_precision", "aten::type_as"});

}  // namespace

std::optional<NamedOperator> find_operator(std::string_view name) {
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  if (found == operators.end()) return std::nullopt;
  return NamedOperator{.kind = found->kind, .chooses = found->chooses};
}

bool is_copy(std::string_view name) {
  return std::find(copies.begin(), copies.end(), name) != copies.end();
}

bool is_operator(std::string_view name) {
  return name.starts_with("aten::") || name.starts_with("mpbench::");
}

std::optional<OperatorKind> kind_of(device::StepPart part) {
  using device::StepPart;
  switch (part) {
    case StepPart::data_wait:
      return OperatorKind::data_wait;
    case StepPart::loss:
      return OperatorKind::loss;
    case StepPart::gradient_scaler:
      return OperatorKind::gradient_scaler;
    case StepPart::optimizer:
      return OperatorKind::optimizer;
    case StepPart::gradient_clipping:
    case StepPart::weight_average:
    case StepPart::sums:
      return OperatorKind::other;
    case StepPart::forward_and_backward:
      break;
  }
  return std::nullopt;
}

}  // namespace mpbench::profile

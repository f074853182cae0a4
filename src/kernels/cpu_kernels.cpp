#include "mpbench/kernels/cpu_kernels.hpp"

#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/baddbmm_cpu_dispatch.h>
#include <ATen/ops/bmm_cpu_dispatch.h>
#include <ATen/ops/convolution_backward_native.h>
#include <ATen/ops/convolution_native.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <c10/util/Exception.h>
#include <torch/library.h>
#include <torch/types.h>

#include <memory>
#include <mutex>

#include "depthwise/depthwise_convolution.hpp"

namespace mpbench::kernels {
namespace {

using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

/// What the registered kernels read, from any thread and without the lock: it is written only while
/// no kernel is registered.
struct Registration {
  std::mutex mutex;
  int guards = 0;
  CpuKernelOptions options;
  const KernelTable* kernels = nullptr;
  std::unique_ptr<torch::Library> library;
};

Registration& registration() {
  // Never destroyed: a guard may outlive the statics of this file when the process ends.
  static auto* const instance = new Registration;
  return *instance;
}

/// Tensor::to keeps the strides of a dense tensor, channels_last among them.
at::Tensor converted(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.defined() ? tensor.to(type) : tensor;
}

at::Tensor as_float(const at::Tensor& tensor) { return converted(tensor, at::kFloat); }

/// The operations to compute in float32, where both tensors are of the type that they are about.
const EmulatedOperations* emulated(const at::Tensor& a, const at::Tensor& b) {
  const std::optional<EmulatedOperations>& operations = registration().options.emulated;
  if (!operations) return nullptr;
  const auto type = operations->precision == Precision::fp16 ? at::kHalf : at::kBFloat16;
  return a.scalar_type() == type && b.scalar_type() == type ? &*operations : nullptr;
}

/// Whether this convolution is to be the framework's own in float32, from narrower operands.
bool widened_depthwise(const at::Tensor& input, const at::Tensor& weight,
                       const ConvolutionArguments& arguments) {
  const at::ScalarType type = input.scalar_type();
  return registration().options.depthwise == DepthwiseBackend::fp32 &&
         (type == at::kBFloat16 || type == at::kHalf) && weight.scalar_type() == type &&
         is_depthwise(input, weight, arguments);
}

/// The shape, where our own kernel computes this convolution.
std::optional<DepthwiseShape> own_depthwise(const at::Tensor& input, const at::Tensor& weight,
                                            const ConvolutionArguments& arguments) {
  const Registration& shared = registration();
  if (shared.options.depthwise != DepthwiseBackend::automatic || shared.kernels == nullptr) {
    return std::nullopt;
  }
  return depthwise_shape(input, weight, arguments);
}

at::Tensor framework_convolution(const at::Tensor& input, const at::Tensor& weight,
                                 const std::optional<at::Tensor>& bias,
                                 const ConvolutionArguments& a) {
  return at::native::convolution(input, weight, bias, a.stride, a.padding, a.dilation, a.transposed,
                                 a.output_padding, a.groups);
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, std::int64_t groups) {
  const Registration& shared = registration();
  const ConvolutionArguments arguments{stride,     padding,        dilation,
                                       transposed, output_padding, groups};
  const at::Tensor offset = bias.value_or(at::Tensor());
  if (!offset.defined() || offset.scalar_type() == weight.scalar_type()) {
    if (const auto shape = own_depthwise(input, weight, arguments)) {
      return depthwise_convolution(*shape, *shared.kernels, input, weight, offset);
    }
  }
  const at::ScalarType type = input.scalar_type();
  const EmulatedOperations* const operations = emulated(input, weight);
  if (widened_depthwise(input, weight, arguments) ||
      (operations != nullptr && operations->forward)) {
    std::optional<at::Tensor> float_offset;
    if (offset.defined()) float_offset = as_float(offset);
    return converted(
        framework_convolution(as_float(input), as_float(weight), float_offset, arguments), type);
  }
  return framework_convolution(input, weight, bias, arguments);
}

Gradients convolution_backward(const at::Tensor& output_gradient, const at::Tensor& input,
                               const at::Tensor& weight, at::OptionalIntArrayRef bias_sizes,
                               at::IntArrayRef stride, at::IntArrayRef padding,
                               at::IntArrayRef dilation, bool transposed,
                               at::IntArrayRef output_padding, std::int64_t groups,
                               std::array<bool, 3> wanted) {
  const Registration& shared = registration();
  const ConvolutionArguments arguments{stride,     padding,        dilation,
                                       transposed, output_padding, groups};
  const at::ScalarType type = input.scalar_type();
  const bool one_type = output_gradient.scalar_type() == type && weight.scalar_type() == type;
  if (one_type) {
    if (const auto shape = own_depthwise(input, weight, arguments)) {
      return depthwise_convolution_backward(*shape, *shared.kernels, output_gradient, input, weight,
                                            wanted);
    }
  }
  const auto compute = [&](const at::Tensor& gradient, const at::Tensor& data,
                           const at::Tensor& filter, std::array<bool, 3> mask) {
    return at::native::convolution_backward(gradient, data, filter, bias_sizes, stride, padding,
                                            dilation, transposed, output_padding, groups, mask);
  };
  const bool widened = one_type && widened_depthwise(input, weight, arguments);
  const EmulatedOperations* const operations = one_type ? emulated(input, weight) : nullptr;
  const bool data_in_float =
      wanted[0] && (widened || (operations != nullptr && operations->data_gradient));
  const bool weight_in_float = (wanted[1] || wanted[2]) &&
                               (widened || (operations != nullptr && operations->weight_gradient));
  if (!data_in_float && !weight_in_float) return compute(output_gradient, input, weight, wanted);
  auto [data_gradient, weight_gradient, bias_gradient] =
      compute(as_float(output_gradient), as_float(input), as_float(weight),
              {data_in_float, wanted[1] && weight_in_float, wanted[2] && weight_in_float});
  Gradients gradients{converted(data_gradient, type), converted(weight_gradient, type),
                      converted(bias_gradient, type)};
  if (wanted[0] && !data_in_float) {
    std::get<0>(gradients) =
        std::get<0>(compute(output_gradient, input, weight, {true, false, false}));
  }
  if ((wanted[1] || wanted[2]) && !weight_in_float) {
    const Gradients native = compute(output_gradient, input, weight, {false, wanted[1], wanted[2]});
    std::get<1>(gradients) = std::get<1>(native);
    std::get<2>(gradients) = std::get<2>(native);
  }
  return gradients;
}

bool multiplies_in_float(const at::Tensor& a, const at::Tensor& b) {
  const EmulatedOperations* const operations = emulated(a, b);
  return operations != nullptr && operations->matrix_product;
}

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  if (!multiplies_in_float(a, b)) return at::cpu::mm(a, b);
  return converted(at::cpu::mm(as_float(a), as_float(b)), a.scalar_type());
}

at::Tensor bmm(const at::Tensor& a, const at::Tensor& b) {
  if (!multiplies_in_float(a, b)) return at::cpu::bmm(a, b);
  return converted(at::cpu::bmm(as_float(a), as_float(b)), a.scalar_type());
}

at::Tensor addmm(const at::Tensor& bias, const at::Tensor& a, const at::Tensor& b,
                 const at::Scalar& beta, const at::Scalar& alpha) {
  if (!multiplies_in_float(a, b)) return at::cpu::addmm(bias, a, b, beta, alpha);
  return converted(at::cpu::addmm(as_float(bias), as_float(a), as_float(b), beta, alpha),
                   a.scalar_type());
}

at::Tensor baddbmm(const at::Tensor& bias, const at::Tensor& a, const at::Tensor& b,
                   const at::Scalar& beta, const at::Scalar& alpha) {
  if (!multiplies_in_float(a, b)) return at::cpu::baddbmm(bias, a, b, beta, alpha);
  return converted(at::cpu::baddbmm(as_float(bias), as_float(a), as_float(b), beta, alpha),
                   a.scalar_type());
}

/// Swallows the dispatcher's warning that a registered kernel (of mm and its like) is overridden:
/// that is the point here.
class IgnoreWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning&) override {}
};

std::unique_ptr<torch::Library> register_kernels(const Registration& wanted) {
  const DepthwiseBackend depthwise = wanted.options.depthwise;
  const bool own = depthwise == DepthwiseBackend::automatic && wanted.kernels != nullptr;
  const bool emulates = wanted.options.emulated && wanted.options.emulated->any();
  if (!own && depthwise != DepthwiseBackend::fp32 && !emulates) return nullptr;
  IgnoreWarnings ignore;
  const c10::WarningUtils::WarningHandlerGuard guard(&ignore);
  auto library = std::make_unique<torch::Library>(torch::Library::IMPL, "aten",
                                                  c10::DispatchKey::CPU, __FILE__, __LINE__);
  library->impl("convolution", TORCH_FN(convolution));
  library->impl("convolution_backward", TORCH_FN(convolution_backward));
  if (emulates && wanted.options.emulated->matrix_product) {
    library->impl("mm", TORCH_FN(mm));
    library->impl("addmm", TORCH_FN(addmm));
    library->impl("bmm", TORCH_FN(bmm));
    library->impl("baddbmm", TORCH_FN(baddbmm));
  }
  return library;
}

}  // namespace

CpuKernelsGuard::CpuKernelsGuard(const CpuKernelOptions& options) {
  // Not value_or(): a bad MPBENCH_KERNELS is no concern of whoever names another set.
  const InstructionSet instructions =
      options.instructions ? *options.instructions : instruction_set();
  Registration& shared = registration();
  const std::lock_guard lock(shared.mutex);
  if (shared.guards == 0) {
    shared.options = options;
    shared.kernels = kernel_table(instructions);
    shared.library = register_kernels(shared);
  }
  ++shared.guards;
  options_ = shared.options;
  instructions_ = active_instructions();
}

CpuKernelsGuard::~CpuKernelsGuard() {
  Registration& shared = registration();
  const std::lock_guard lock(shared.mutex);
  if (--shared.guards > 0) return;
  shared.library.reset();
  shared.options = {};
  shared.kernels = nullptr;
}

std::string CpuKernelsGuard::depthwise_label() const {
  if (options_.depthwise != DepthwiseBackend::automatic)
    return std::string(enum_name(options_.depthwise));
  if (instructions_ == InstructionSet::none) return "framework";
  return std::string(enum_name(instructions_));
}

std::string CpuKernelsGuard::label() const {
  const bool is_framework =
      options_.depthwise == DepthwiseBackend::framework ||
      (options_.depthwise == DepthwiseBackend::automatic && instructions_ == InstructionSet::none);
  if (is_framework) return depthwise_label();
  return fmt::format(
      "depthwise {}{}", depthwise_label(),
      options_.norm_and_pooling ? ", batch norm and activation fused, max pooling" : "");
}

const CpuKernelOptions& active_options() { return registration().options; }

const KernelTable* active_kernels() { return registration().kernels; }

InstructionSet active_instructions() {
  const KernelTable* const kernels = active_kernels();
  return kernels == nullptr ? InstructionSet::none : kernels->instructions;
}

}  // namespace mpbench::kernels

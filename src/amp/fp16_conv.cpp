#include "mpbench/amp/fp16_conv.hpp"

#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/convolution_backward_native.h>
#include <ATen/ops/convolution_native.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <c10/util/Exception.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <tuple>

#include "mpbench/core/error.hpp"

namespace mpbench::amp {
namespace {

using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

Fp16Support make_support(bool forward, bool data_gradient, bool weight_gradient,
                         bool matrix_product) {
  Fp16Support support{forward, data_gradient, weight_gradient, matrix_product, {}};
  if (forward && data_gradient) {
    support.label = weight_gradient ? "native" : "native, weight-gradient in fp32";
  } else {
    support.label = "emulated in fp32";
  }
  return support;
}

/// What the registered kernels read, from any thread and without the lock: `support` is written
/// only while no kernel is registered.
struct Registration {
  std::mutex mutex;
  int guards = 0;
  Fp16Support support;
  std::unique_ptr<torch::Library> library;
};

Registration& registration() {
  // Never destroyed: a guard may outlive the statics of this file when the process ends.
  static auto* const instance = new Registration;
  return *instance;
}

at::Tensor as_float(const at::Tensor& tensor) {
  // Tensor::to keeps the strides of a dense tensor, channels_last among them.
  return tensor.defined() ? tensor.to(at::kFloat) : tensor;
}

at::Tensor as_half(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(at::kHalf) : tensor;
}

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef output_padding, std::int64_t groups) {
  if (input.scalar_type() != at::kHalf || weight.scalar_type() != at::kHalf ||
      registration().support.forward) {
    return at::native::convolution(input, weight, bias, stride, padding, dilation, transposed,
                                   output_padding, groups);
  }
  std::optional<at::Tensor> float_bias;
  if (bias && bias->defined()) {
    float_bias = as_float(*bias);
  }
  return as_half(at::native::convolution(as_float(input), as_float(weight), float_bias, stride,
                                         padding, dilation, transposed, output_padding, groups));
}

Gradients convolution_backward(const at::Tensor& grad_output, const at::Tensor& input,
                               const at::Tensor& weight, at::OptionalIntArrayRef bias_sizes,
                               at::IntArrayRef stride, at::IntArrayRef padding,
                               at::IntArrayRef dilation, bool transposed,
                               at::IntArrayRef output_padding, std::int64_t groups,
                               std::array<bool, 3> wanted) {
  const auto compute = [&](const at::Tensor& gradient, const at::Tensor& data,
                           const at::Tensor& filter, std::array<bool, 3> mask) {
    return at::native::convolution_backward(gradient, data, filter, bias_sizes, stride, padding,
                                            dilation, transposed, output_padding, groups, mask);
  };
  const bool half = grad_output.scalar_type() == at::kHalf && input.scalar_type() == at::kHalf &&
                    weight.scalar_type() == at::kHalf;
  const Fp16Support& support = registration().support;
  const bool data_in_float = wanted[0] && !support.data_gradient;
  const bool weight_in_float = (wanted[1] || wanted[2]) && !support.weight_gradient;
  if (!half || (!data_in_float && !weight_in_float)) {
    return compute(grad_output, input, weight, wanted);
  }
  auto [data_gradient, weight_gradient, bias_gradient] =
      compute(as_float(grad_output), as_float(input), as_float(weight),
              {data_in_float, wanted[1] && weight_in_float, wanted[2] && weight_in_float});
  Gradients gradients{as_half(data_gradient), as_half(weight_gradient), as_half(bias_gradient)};
  if (wanted[0] && !data_in_float) {
    std::get<0>(gradients) = std::get<0>(compute(grad_output, input, weight, {true, false, false}));
  }
  if ((wanted[1] || wanted[2]) && !weight_in_float) {
    const Gradients native = compute(grad_output, input, weight, {false, wanted[1], wanted[2]});
    std::get<1>(gradients) = std::get<1>(native);
    std::get<2>(gradients) = std::get<2>(native);
  }
  return gradients;
}

bool multiplies_in_float(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == at::kHalf && b.scalar_type() == at::kHalf &&
         !registration().support.matrix_product;
}

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  if (!multiplies_in_float(a, b)) {
    return at::cpu::mm(a, b);
  }
  return as_half(at::cpu::mm(as_float(a), as_float(b)));
}

at::Tensor addmm(const at::Tensor& bias, const at::Tensor& a, const at::Tensor& b,
                 const at::Scalar& beta, const at::Scalar& alpha) {
  if (!multiplies_in_float(a, b)) {
    return at::cpu::addmm(bias, a, b, beta, alpha);
  }
  return as_half(at::cpu::addmm(as_float(bias), as_float(a), as_float(b), beta, alpha));
}

/// Swallows the dispatcher's warning that a registered kernel (of mm and addmm) is overridden: that
/// is the point here.
class IgnoreWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning&) override {}
};

std::unique_ptr<torch::Library> register_kernels() {
  IgnoreWarnings ignore;
  const c10::WarningUtils::WarningHandlerGuard guard(&ignore);
  auto library = std::make_unique<torch::Library>(torch::Library::IMPL, "aten",
                                                  c10::DispatchKey::CPU, __FILE__, __LINE__);
  library->impl("convolution", TORCH_FN(convolution));
  library->impl("convolution_backward", TORCH_FN(convolution_backward));
  library->impl("mm", TORCH_FN(mm));
  library->impl("addmm", TORCH_FN(addmm));
  return library;
}

}  // namespace

Fp16Support fp16_support(const device::CpuFeatures& cpu) {
  const bool arithmetic = cpu.avx512_fp16 || cpu.amx_fp16;
  return make_support(arithmetic, arithmetic, cpu.amx_fp16, arithmetic);
}

Fp16Support fp16_support() {
  const char* text = std::getenv("MPBENCH_FP16_CONV");
  const std::string_view choice = text == nullptr ? "auto" : text;
  if (choice == "native") {
    return make_support(true, true, true, true);
  }
  if (choice == "emulated") {
    return make_support(false, false, false, false);
  }
  if (choice != "auto") {
    throw UsageError("MPBENCH_FP16_CONV='" + std::string(choice) +
                     "': choose native, emulated or auto");
  }
  return fp16_support(device::cpu_features());
}

Fp16ConvolutionGuard::Fp16ConvolutionGuard() : Fp16ConvolutionGuard(fp16_support()) {}

Fp16ConvolutionGuard::Fp16ConvolutionGuard(const Fp16Support& support) {
  Registration& shared = registration();
  const std::lock_guard lock(shared.mutex);
  if (shared.guards == 0) {
    shared.support = support;
    shared.library = register_kernels();
  }
  ++shared.guards;
  support_ = shared.support;
}

Fp16ConvolutionGuard::~Fp16ConvolutionGuard() {
  Registration& shared = registration();
  const std::lock_guard lock(shared.mutex);
  if (--shared.guards == 0) {
    shared.library.reset();
  }
}

}  // namespace mpbench::amp

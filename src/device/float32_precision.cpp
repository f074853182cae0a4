#include "mpbench/device/float32_precision.hpp"

#include <cstdlib>
#include <string_view>

#include "mpbench/core/error.hpp"

namespace mpbench::device {
namespace {

using at::Float32Backend;
using at::Float32Op;
using at::Float32Precision;

struct Setting {
  Float32Backend backend;
  Float32Op op;
};
// Each is set by itself: ATen reads the op's own entry first, and the defaults of CUDA's differ.
constexpr std::array<Setting, 6> settings{{{Float32Backend::CUDA, Float32Op::CONV},
                                           {Float32Backend::CUDA, Float32Op::RNN},
                                           {Float32Backend::CUDA, Float32Op::MATMUL},
                                           {Float32Backend::MKLDNN, Float32Op::CONV},
                                           {Float32Backend::MKLDNN, Float32Op::RNN},
                                           {Float32Backend::MKLDNN, Float32Op::MATMUL}}};

/// TunableOp asks for TF32 by LibTorch's older setting, which throws where the newer one, that of
/// Float32PrecisionGuard, allows it.
void require_no_tunable_operators() {
  const char* const tunable = std::getenv("PYTORCH_TUNABLEOP_ENABLED");
  if (tunable != nullptr && tunable == std::string_view("1")) {
    throw Error(
        "PYTORCH_TUNABLEOP_ENABLED=1: LibTorch's TunableOp cannot be used with TF32: unset "
        "it, or choose another --precision");
  }
}

}  // namespace

Float32PrecisionGuard::Float32PrecisionGuard(bool allow_tf32) {
  if (allow_tf32) require_no_tunable_operators();
  auto& context = at::globalContext();
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto [backend, op] = settings[i];
    previous_[i] = context.float32Precision(backend, op);
    // TF32 is CUDA's; oneDNN on the CPU stays strict in either case.
    const auto wanted = allow_tf32 && backend == Float32Backend::CUDA ? Float32Precision::TF32
                                                                      : Float32Precision::IEEE;
    context.setFloat32Precision(backend, op, wanted);
    if (context.float32Precision(backend, op) != wanted) {
      throw Error("LibTorch does not accept the requested float32 precision");
    }
  }
}

Float32PrecisionGuard::~Float32PrecisionGuard() {
  for (std::size_t i = 0; i < settings.size(); ++i) {
    at::globalContext().setFloat32Precision(settings[i].backend, settings[i].op, previous_[i]);
  }
}

}  // namespace mpbench::device

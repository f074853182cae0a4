#include "mpbench/kernels/fp16_support.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {
namespace {

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

}  // namespace

Fp16Support fp16_support(const device::CpuFeatures& cpu) {
  const bool arithmetic = cpu.avx512_fp16 || cpu.amx_fp16;
  return make_support(arithmetic, arithmetic, cpu.amx_fp16, arithmetic);
}

Fp16Support fp16_support() {
  const char* text = std::getenv("MPBENCH_FP16_CONV");
  const std::string_view choice = text == nullptr ? "auto" : text;
  if (choice == "native") return make_support(true, true, true, true);
  if (choice == "emulated") return make_support(false, false, false, false);
  if (choice == "auto") return fp16_support(device::cpu_features());
  throw UsageError(fmt::format("MPBENCH_FP16_CONV='{}': choose native, emulated or auto", choice));
}

}  // namespace mpbench::kernels

#include "mpbench/kernels/emulation.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "mpbench/core/error.hpp"

namespace mpbench::kernels {

std::string EmulatedOperations::label() const {
  if (forward || data_gradient) return "emulated in fp32";
  return weight_gradient ? "native, weight-gradient in fp32" : "native";
}

EmulatedOperations emulated_operations(Precision precision, const device::CpuFeatures& cpu) {
  if (precision == Precision::bf16) {
    const bool emulated = !cpu.avx512_bf16 && !cpu.amx_bf16;
    return {precision, emulated, emulated, emulated, emulated};
  }
  const bool emulated = !cpu.avx512_fp16 && !cpu.amx_fp16;
  return {precision, emulated, emulated, !cpu.amx_fp16, emulated};
}

EmulatedOperations emulated_operations(Precision precision) {
  const char* text = std::getenv("MPBENCH_EMULATION");
  const std::string_view choice = text == nullptr ? "auto" : text;
  if (choice == "none") return {precision, false, false, false, false};
  if (choice == "all") return {precision, true, true, true, true};
  if (choice == "auto") return emulated_operations(precision, device::cpu_features());
  throw UsageError(fmt::format("MPBENCH_EMULATION={}: choose auto, none or all", choice));
}

}  // namespace mpbench::kernels

#include "mpbench/kernels/emulation.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/error.hpp"

namespace mpbench::kernels {
namespace {

/// What MPBENCH_EMULATION says.
enum class EmulationOverride { automatic, none, all };

}  // namespace
}  // namespace mpbench::kernels

template <>
inline constexpr auto mpbench::enum_names<mpbench::kernels::EmulationOverride> =
    std::to_array<mpbench::EnumName<mpbench::kernels::EmulationOverride>>(
        {{mpbench::kernels::EmulationOverride::automatic, "auto"},
         {mpbench::kernels::EmulationOverride::none, "none"},
         {mpbench::kernels::EmulationOverride::all, "all"}});

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
  const auto choice =
      text == nullptr ? EmulationOverride::automatic : find_enum<EmulationOverride>(text);
  if (!choice) {
    throw UsageError(
        fmt::format("MPBENCH_EMULATION={}: choose {}", text, enum_choices<EmulationOverride>()));
  }
  switch (*choice) {
    case EmulationOverride::none:
      return {precision, false, false, false, false};
    case EmulationOverride::all:
      return {precision, true, true, true, true};
    case EmulationOverride::automatic:
      break;
  }
  return emulated_operations(precision, device::cpu_features());
}

}  // namespace mpbench::kernels

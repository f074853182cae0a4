#pragma once

#include <string>
#include <string_view>

namespace mpbench {

/// How a run computes. `fp32` is strict IEEE (TF32 off), `tf32` allows TF32 in matrix products and
/// convolutions, `bf16` is autocast without a scaler, `fp16` is autocast with a GradScaler.
enum class Precision { fp32, tf32, bf16, fp16 };

/// Parses "fp32", "tf32", "bf16" or "fp16"; throws UsageError naming the choices.
Precision parse_precision(std::string_view text);

/// The name that parse_precision reads.
std::string_view to_string(Precision precision);

/// Whether autocast is on: bf16 and fp16.
constexpr bool is_mixed(Precision precision) {
  return precision == Precision::bf16 || precision == Precision::fp16;
}

}  // namespace mpbench

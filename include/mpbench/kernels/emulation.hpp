#pragma once

#include <string>

#include "mpbench/core/precision.hpp"
#include "mpbench/device/cpu_features.hpp"
#include "mpbench/kernels/emulation_options.hpp"

namespace mpbench::kernels {

/// Which operations of a 16-bit type are to be computed in float32, as this CPU has no fast kernel
/// for them. ATen accepts all of them everywhere, but where oneDNN has no kernel it falls to code
/// that is ten to a hundred times slower than float32.
struct EmulatedOperations {
  Precision precision = Precision::bf16;  ///< bf16 or fp16
  bool forward = false;
  bool data_gradient = false;
  bool weight_gradient = false;
  bool matrix_product = false;

  bool any() const { return forward || data_gradient || weight_gradient || matrix_product; }
  /// For runs.csv: "native", "native, weight-gradient in fp32" or "emulated in fp32".
  std::string label() const;
};

/// From the CPU's flags. bf16: avx512_bf16 or amx_bf16 has all. fp16: avx512_fp16 has all but the
/// weight gradient, amx_fp16 that too.
EmulatedOperations emulated_operations(Precision precision, const device::CpuFeatures& cpu);

/// The same for this machine.
/// MPBENCH_EMULATION=none|all|auto overrides it (another value throws UsageError).
EmulatedOperations emulated_operations(Precision precision);

}  // namespace mpbench::kernels

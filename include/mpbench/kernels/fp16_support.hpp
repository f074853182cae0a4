#pragma once

#include <string>

#include "mpbench/device/cpu_features.hpp"

namespace mpbench::kernels {

/// Which directions of a float16 convolution this CPU computes with a fast float16 kernel, and
/// whether it has one for matrix products. ATen accepts all of them everywhere, but where oneDNN
/// has no kernel it falls to code that is ten to a hundred times slower than float32.
struct Fp16Support {
  bool forward = false;
  bool data_gradient = false;
  bool weight_gradient = false;
  bool matrix_product = false;
  /// For runs.csv: "native", "native, weight-gradient in fp32" or "emulated in fp32".
  std::string label;
};

/// From the CPU's flags: avx512_fp16 gives all but the weight gradient, amx_fp16 that too.
Fp16Support fp16_support(const device::CpuFeatures& cpu);

/// The same for this machine.
/// MPBENCH_FP16_CONV=native|emulated|auto overrides it (another value throws UsageError).
Fp16Support fp16_support();

}  // namespace mpbench::kernels

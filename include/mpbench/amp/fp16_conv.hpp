#pragma once

#include <string>

#include "mpbench/device/cpu_features.hpp"

namespace mpbench::amp {

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

/// While it lives, float16 convolutions (and the matrix products of fully connected layers) on the
/// CPU that have no fast float16 kernel are computed in float32 from the float16 operands, and the
/// result is rounded to float16: the values of a float16 kernel that accumulates in float32. Every
/// other dtype and device is untouched.
///
/// It registers CPU kernels for aten::convolution and aten::convolution_backward, which ATen itself
/// implements above the CPU key, and for aten::mm and aten::addmm; so it reaches every layer of
/// every model, below autograd and autocast. The registration belongs to the process, not the
/// thread: make the guard where a run starts, before other threads multiply or convolve, not around
/// each step. Guards may nest; the outermost one's support holds.
class Fp16ConvolutionGuard {
 public:
  /// With the support that fp16_support() reports, or a given one (for tests).
  Fp16ConvolutionGuard();
  explicit Fp16ConvolutionGuard(const Fp16Support& support);
  ~Fp16ConvolutionGuard();

  Fp16ConvolutionGuard(const Fp16ConvolutionGuard&) = delete;
  Fp16ConvolutionGuard& operator=(const Fp16ConvolutionGuard&) = delete;

  const Fp16Support& support() const { return support_; }

 private:
  Fp16Support support_;
};

}  // namespace mpbench::amp

#pragma once

#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::amp {

using kernels::fp16_support;
using kernels::Fp16Support;

/// While it lives, float16 convolutions (and the matrix products of fully connected layers) on the
/// CPU that have no fast float16 kernel are computed in float32 from the float16 operands, and the
/// result is rounded to float16. Every other dtype and device is untouched.
///
/// A kernels::CpuKernelsGuard that asks for nothing else; where one lives already, the outermost
/// one's options hold.
class Fp16ConvolutionGuard {
 public:
  /// With the support that fp16_support() reports, or a given one (for tests).
  Fp16ConvolutionGuard();
  explicit Fp16ConvolutionGuard(const Fp16Support& support);

  /// The outermost guard's; everything native where that one asked for no float16 kernels.
  const Fp16Support& support() const { return support_; }

 private:
  kernels::CpuKernelsGuard guard_;
  Fp16Support support_;
};

}  // namespace mpbench::amp

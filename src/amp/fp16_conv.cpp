#include "mpbench/amp/fp16_conv.hpp"

namespace mpbench::amp {

Fp16ConvolutionGuard::Fp16ConvolutionGuard() : Fp16ConvolutionGuard(fp16_support()) {}

Fp16ConvolutionGuard::Fp16ConvolutionGuard(const Fp16Support& support)
    : guard_({.fp16 = support}),
      support_(guard_.options().fp16.value_or(Fp16Support{true, true, true, true, "native"})) {}

}  // namespace mpbench::amp

#include "mpbench/device/float32_precision.hpp"

#include <gtest/gtest.h>

#include "mpbench/core/error.hpp"
#include "support/environment_variable.hpp"

namespace mpbench::device {
namespace {

using at::Float32Backend;
using at::Float32Op;
using at::Float32Precision;

Float32Precision convolution(Float32Backend backend) {
  return at::globalContext().float32Precision(backend, Float32Op::CONV);
}

TEST(Float32PrecisionGuardTest, TurnsTf32OffAndPutsItBack) {
  const auto before = convolution(Float32Backend::CUDA);
  EXPECT_EQ(before, Float32Precision::TF32)
      << "the default that makes an unguarded FP32 arm a TF32 arm";
  {
    const Float32PrecisionGuard strict(/*allow_tf32=*/false);
    EXPECT_EQ(convolution(Float32Backend::CUDA), Float32Precision::IEEE);
    EXPECT_EQ(convolution(Float32Backend::MKLDNN), Float32Precision::IEEE);
    {
      const Float32PrecisionGuard tf32(/*allow_tf32=*/true);
      EXPECT_EQ(convolution(Float32Backend::CUDA), Float32Precision::TF32);
      EXPECT_EQ(convolution(Float32Backend::MKLDNN), Float32Precision::IEEE);
    }
    EXPECT_EQ(convolution(Float32Backend::CUDA), Float32Precision::IEEE);
  }
  EXPECT_EQ(convolution(Float32Backend::CUDA), before);
}

TEST(Float32PrecisionGuardTest, RefusesTf32WithTunableOperators) {
  const EnvironmentVariable tunable("PYTORCH_TUNABLEOP_ENABLED", "1");
  EXPECT_THROW(Float32PrecisionGuard(/*allow_tf32=*/true), Error);
  EXPECT_NO_THROW(Float32PrecisionGuard(/*allow_tf32=*/false));
  const EnvironmentVariable off("PYTORCH_TUNABLEOP_ENABLED", "0");
  EXPECT_NO_THROW(Float32PrecisionGuard(/*allow_tf32=*/true));
}

}  // namespace
}  // namespace mpbench::device

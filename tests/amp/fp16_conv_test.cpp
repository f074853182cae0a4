#include "mpbench/amp/fp16_conv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>

#include "environment_variable.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/device/cpu_features.hpp"

namespace mpbench::amp {
namespace {

namespace F = torch::nn::functional;

const Fp16Support nothing_native{false, false, false, false, "emulated in fp32"};
const Fp16Support all_native{true, true, true, true, "native"};

struct Result {
  at::Tensor output, input_gradient, weight_gradient, bias_gradient;
};

/// A convolution and its gradients, all of `dtype`, from fixed values that float16 holds exactly.
Result convolve(at::ScalarType dtype, at::MemoryFormat format, std::int64_t groups = 1,
                bool with_bias = true) {
  torch::manual_seed(3);
  const auto leaf = [&](at::IntArrayRef sizes) {
    const at::Tensor values = at::randn(sizes).to(at::kHalf).to(dtype);
    return (sizes.size() == 4 ? values.contiguous(format) : values).requires_grad_();
  };
  const at::Tensor input = leaf({2, 8, 9, 9});
  const at::Tensor weight = leaf({8, 8 / groups, 3, 3});
  const at::Tensor bias = with_bias ? leaf({8}) : at::Tensor();
  const at::Tensor output = at::conv2d(input, weight, bias, {2, 1}, {1, 1}, {1, 1}, groups);
  output.backward(at::ones_like(output) * 0.5);
  return {output, input.grad(), weight.grad(), with_bias ? bias.grad() : bias};
}

void expect_rounded(const at::Tensor& half, const at::Tensor& reference) {
  EXPECT_EQ(half.scalar_type(), at::kHalf);
  // One unit in the last place: float32 sums of another order may fall on the other side of a tie.
  EXPECT_TRUE(at::allclose(half.to(at::kFloat), reference.to(at::kHalf).to(at::kFloat), 1e-3, 1e-5))
      << (half.to(at::kFloat) - reference).abs().max().item<float>();
}

TEST(Fp16ConvolutionGuardTest, RoundsTheFloat32Results) {
  const Fp16ConvolutionGuard guard(nothing_native);
  for (const std::int64_t groups : {1, 8}) {
    const Result half = convolve(at::kHalf, at::MemoryFormat::Contiguous, groups);
    const Result reference = convolve(at::kFloat, at::MemoryFormat::Contiguous, groups);
    expect_rounded(half.output, reference.output);
    expect_rounded(half.input_gradient, reference.input_gradient);
    expect_rounded(half.weight_gradient, reference.weight_gradient);
    expect_rounded(half.bias_gradient, reference.bias_gradient);
  }
}

class Fp16MixTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Biases, Fp16MixTest, ::testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithBias" : "WithoutBias";
});

TEST_P(Fp16MixTest, EachDirectionIsNativeOrEmulated) {
  const auto run = [](at::ScalarType dtype) {
    return convolve(dtype, at::MemoryFormat::ChannelsLast, 1, GetParam());
  };
  const Result reference = run(at::kFloat);
  const Result native = run(at::kHalf);
  const auto expect = [](const at::Tensor& actual, bool is_native, const at::Tensor& of_aten,
                         const at::Tensor& in_float) {
    ASSERT_EQ(actual.defined(), in_float.defined());
    if (is_native && actual.defined()) {
      EXPECT_TRUE(actual.equal(of_aten));
    } else if (actual.defined()) {
      expect_rounded(actual, in_float);
    }
  };
  for (int natives = 0; natives < 8; ++natives) {
    SCOPED_TRACE(natives);
    const Fp16Support support{(natives & 1) != 0, (natives & 2) != 0, (natives & 4) != 0, false,
                              ""};
    const Fp16ConvolutionGuard guard(support);
    const Result half = run(at::kHalf);
    expect(half.output, support.forward, native.output, reference.output);
    expect(half.input_gradient, support.data_gradient, native.input_gradient,
           reference.input_gradient);
    expect(half.weight_gradient, support.weight_gradient, native.weight_gradient,
           reference.weight_gradient);
    expect(half.bias_gradient, support.weight_gradient, native.bias_gradient,
           reference.bias_gradient);
  }
}

TEST(Fp16ConvolutionGuardTest, KeepsChannelsLast) {
  const Fp16ConvolutionGuard guard(nothing_native);
  const Result half = convolve(at::kHalf, at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(half.output.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(half.input_gradient.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(half.weight_gradient.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(Fp16ConvolutionGuardTest, LeavesOtherDtypesAsTheyAre) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const Result before = convolve(dtype, at::MemoryFormat::ChannelsLast);
    const Fp16ConvolutionGuard guard(nothing_native);
    const Result during = convolve(dtype, at::MemoryFormat::ChannelsLast);
    EXPECT_EQ(during.output.scalar_type(), dtype);
    EXPECT_TRUE(during.output.equal(before.output));
    EXPECT_TRUE(during.input_gradient.equal(before.input_gradient));
    EXPECT_TRUE(during.weight_gradient.equal(before.weight_gradient));
    EXPECT_TRUE(during.bias_gradient.equal(before.bias_gradient));
  }
}

/// The kernel that the dispatcher would call, as text.
std::string cpu_kernel(const char* name) {
  const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  std::string state = handle.dumpState();
  return state;
}

TEST(Fp16ConvolutionGuardTest, PutsTheKernelsBack) {
  for (const char* name :
       {"aten::convolution", "aten::convolution_backward", "aten::mm", "aten::addmm"}) {
    const std::string before = cpu_kernel(name);
    EXPECT_THAT(before, ::testing::Not(::testing::HasSubstr("cpu_kernels")));
    {
      const Fp16ConvolutionGuard outer(nothing_native);
      EXPECT_THAT(cpu_kernel(name), ::testing::HasSubstr("cpu_kernels"));
      {
        const Fp16ConvolutionGuard inner(all_native);
        EXPECT_EQ(inner.support().label, "emulated in fp32") << "the outermost guard's holds";
      }
      EXPECT_THAT(cpu_kernel(name), ::testing::HasSubstr("cpu_kernels"));
    }
    EXPECT_EQ(cpu_kernel(name), before);
  }
}

TEST(Fp16ConvolutionGuardTest, WarnsOfNothing) {
  const c10::WarningUtils::WarnAlways also_what_is_said_once;
  ::testing::internal::CaptureStderr();
  {
    const Fp16ConvolutionGuard guard(nothing_native);
    (void)convolve(at::kHalf, at::MemoryFormat::Contiguous);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Fp16ConvolutionGuardTest, MultipliesMatricesInFloat32AndRounds) {
  const at::Tensor a = at::randn({5, 700}).to(at::kHalf);
  const at::Tensor b = at::randn({700, 6}).to(at::kHalf);
  const at::Tensor c = at::randn({6}).to(at::kHalf);
  const auto f = [](const at::Tensor& t) { return t.to(at::kFloat); };
  const Fp16ConvolutionGuard guard(nothing_native);
  expect_rounded(at::mm(a, b), at::mm(f(a), f(b)));
  expect_rounded(at::addmm(c, a, b, 0.5, 2.0), at::addmm(f(c), f(a), f(b), 0.5, 2.0));
  expect_rounded(F::linear(a, b.t(), c), at::addmm(f(c), f(a), f(b)));
}

TEST(Fp16SupportTest, FollowsTheProcessor) {
  device::CpuFeatures cpu;
  EXPECT_EQ(fp16_support(cpu).label, "emulated in fp32");
  EXPECT_FALSE(fp16_support(cpu).matrix_product);
  cpu.avx512_fp16 = true;  // Sapphire Rapids
  EXPECT_EQ(fp16_support(cpu).label, "native, weight-gradient in fp32");
  EXPECT_TRUE(fp16_support(cpu).forward);
  EXPECT_TRUE(fp16_support(cpu).data_gradient);
  EXPECT_FALSE(fp16_support(cpu).weight_gradient);
  cpu.amx_fp16 = true;  // Granite Rapids
  EXPECT_EQ(fp16_support(cpu).label, "native");
  EXPECT_TRUE(fp16_support(cpu).weight_gradient);
}

TEST(Fp16SupportTest, TheEnvironmentOverridesIt) {
  {
    const EnvironmentVariable choice("MPBENCH_FP16_CONV", "native");
    EXPECT_TRUE(fp16_support().weight_gradient);
    EXPECT_EQ(fp16_support().label, "native");
  }
  {
    const EnvironmentVariable choice("MPBENCH_FP16_CONV", "emulated");
    EXPECT_FALSE(fp16_support().forward);
    EXPECT_EQ(fp16_support().label, "emulated in fp32");
  }
  {
    const EnvironmentVariable choice("MPBENCH_FP16_CONV", "sometimes");
    EXPECT_THROW(fp16_support(), UsageError);
  }
}

}  // namespace
}  // namespace mpbench::amp

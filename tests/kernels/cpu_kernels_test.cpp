#include "mpbench/kernels/cpu_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <array>
#include <limits>
#include <string>

#include "mpbench/core/error.hpp"
#include "support/environment_variable.hpp"

namespace mpbench::kernels {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Result {
  at::Tensor output, input_gradient, weight_gradient;
};

/// A depthwise convolution of fixed values, and its gradients.
Result convolve(at::ScalarType dtype, int channels = 40, int size = 21, int stride = 2) {
  torch::manual_seed(3);
  const at::Tensor input = at::randn({3, channels, size, size})
                               .to(dtype)
                               .contiguous(at::MemoryFormat::ChannelsLast)
                               .requires_grad_();
  const at::Tensor weight = at::randn({channels, 1, 5, 5}).to(dtype).requires_grad_();
  const at::Tensor output = at::conv2d(input, weight, at::Tensor(), stride, 2, 1, channels);
  output.backward(at::ones_like(output) * 0.5);
  return {output, input.grad(), weight.grad()};
}

void expect_equal(const Result& actual, const Result& expected) {
  EXPECT_TRUE(actual.output.equal(expected.output));
  EXPECT_TRUE(actual.input_gradient.equal(expected.input_gradient));
  EXPECT_TRUE(actual.weight_gradient.equal(expected.weight_gradient));
}

/// The kernels that the dispatcher would call, as text.
std::string registered(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").dumpState();
}

TEST(CpuKernelsGuardTest, FrameworkRegistersNothing) {
  const std::string before = registered("aten::convolution");
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::framework});
  EXPECT_EQ(registered("aten::convolution"), before);
  EXPECT_EQ(guard.depthwise_label(), "framework");
}

TEST(CpuKernelsGuardTest, NeitherDoesAutomaticWithoutInstructions) {
  const EnvironmentVariable none("MPBENCH_KERNELS", "none");
  const std::string before = registered("aten::convolution");
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
  EXPECT_EQ(registered("aten::convolution"), before);
  EXPECT_EQ(guard.depthwise_label(), "framework");
}

TEST(CpuKernelsGuardTest, RegistersAndPutsBack) {
  for (const char* name : {"aten::convolution", "aten::convolution_backward"}) {
    const std::string before = registered(name);
    EXPECT_THAT(before, Not(HasSubstr("cpu_kernels")));
    {
      const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::fp32});
      EXPECT_THAT(registered(name), HasSubstr("cpu_kernels"));
      EXPECT_THAT(registered("aten::mm"), Not(HasSubstr("cpu_kernels")));
    }
    EXPECT_EQ(registered(name), before);
  }
}

TEST(CpuKernelsGuardTest, TheOutermostOnesOptionsHold) {
  EXPECT_EQ(active_options().depthwise, DepthwiseBackend::framework);
  {
    const CpuKernelsGuard outer({.depthwise = DepthwiseBackend::fp32, .norm_and_pooling = true});
    const CpuKernelsGuard inner({.depthwise = DepthwiseBackend::automatic});
    EXPECT_EQ(inner.options().depthwise, DepthwiseBackend::fp32);
    EXPECT_EQ(inner.depthwise_label(), "fp32");
    EXPECT_TRUE(active_options().norm_and_pooling);
  }
  EXPECT_EQ(active_options().depthwise, DepthwiseBackend::framework);
  EXPECT_FALSE(active_options().norm_and_pooling);
  EXPECT_EQ(active_instructions(), InstructionSet::none);
}

TEST(CpuKernelsGuardTest, LeavesFloat64AsItIs) {
  const Result before = convolve(at::kDouble);
  for (const DepthwiseBackend choice :
       {DepthwiseBackend::automatic, DepthwiseBackend::fp32, DepthwiseBackend::framework}) {
    const CpuKernelsGuard guard({.depthwise = choice});
    expect_equal(convolve(at::kDouble), before);
  }
}

TEST(CpuKernelsGuardTest, Fp32LeavesFloat32AsItIs) {
  const Result before = convolve(at::kFloat);
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::fp32});
  expect_equal(convolve(at::kFloat), before);
}

TEST(CpuKernelsGuardTest, DoesNotDependOnThreads) {
  const int threads = at::get_num_threads();
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const int stride : {1, 2}) {
      at::set_num_threads(1);
      const Result alone = convolve(dtype, 40, 33, stride);
      for (const int count : {2, 3}) {
        at::set_num_threads(count);
        expect_equal(convolve(dtype, 40, 33, stride), alone);
      }
    }
  }
  at::set_num_threads(threads);
}

TEST(CpuKernelsGuardTest, TakesAGradientOfAnyStrides) {
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
  const at::Tensor input = at::randn({2, 16, 9, 9}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::randn({16, 1, 3, 3});
  const at::Tensor wide = at::randn({2, 16, 9, 18});
  const auto backward = [&](const at::Tensor& gradient) {
    return at::convolution_backward(gradient, input, weight, at::OptionalIntArrayRef(), {1, 1},
                                    {1, 1}, {1, 1}, false, {0, 0}, 16, {true, true, false});
  };
  const at::Tensor strided = wide.slice(3, 0, 18, 2);
  const auto [a, b, no_bias] = backward(strided);
  const auto [c, d, also_none] =
      backward(strided.contiguous(at::MemoryFormat::ChannelsLast).clone());
  EXPECT_TRUE(a.equal(c));
  EXPECT_TRUE(b.equal(d));
  EXPECT_FALSE(no_bias.defined());
}

TEST(CpuKernelsGuardTest, PassesOnInfinitiesAndNan) {
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    at::Tensor input = at::ones({1, 8, 5, 5}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    input[0][0][2][2] = std::numeric_limits<float>::infinity();
    input[0][1][2][2] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor output =
        at::conv2d(input, at::ones({8, 1, 3, 3}).to(dtype), at::Tensor(), 1, 1, 1, 8);
    EXPECT_TRUE(output[0][0][2][2].isinf().item<bool>());
    EXPECT_TRUE(output[0][1][2][2].isnan().item<bool>());
    EXPECT_EQ(output[0][2][2][2].item<float>(), 9);
    EXPECT_EQ(output[0][0][0][0].item<float>(), 4);
  }
}

TEST(CpuKernelsGuardTest, RefusesWhatTheFrameworkRefuses) {
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
  const at::Tensor input = at::ones({1, 8, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast);
  const std::array<std::int64_t, 2> no_padding{0, 0};
  EXPECT_THROW(at::conv2d(input, at::ones({8, 1, 5, 5}), at::Tensor(), 1, no_padding, 1, 8),
               c10::Error);
  EXPECT_THROW(
      at::conv2d(input, at::ones({8, 1, 3, 3}).to(at::kBFloat16), at::Tensor(), 1, 1, 1, 8),
      c10::Error);
}

TEST(InstructionSetTest, TheEnvironmentChooses) {
  {
    const EnvironmentVariable none("MPBENCH_KERNELS", "none");
    EXPECT_EQ(instruction_set(), InstructionSet::none);
  }
  const EnvironmentVariable wrong("MPBENCH_KERNELS", "sse2");
  EXPECT_THROW(instruction_set(), UsageError);
  EXPECT_THROW(CpuKernelsGuard({.depthwise = DepthwiseBackend::automatic}), UsageError);
}

TEST(DepthwiseTest, ParsesWhatItWrites) {
  for (const DepthwiseBackend choice :
       {DepthwiseBackend::automatic, DepthwiseBackend::framework, DepthwiseBackend::fp32}) {
    EXPECT_EQ(parse_enum<DepthwiseBackend>(enum_name(choice), "--depthwise"), choice);
  }
  EXPECT_THROW(parse_enum<DepthwiseBackend>("fast", "--depthwise"), UsageError);
}

}  // namespace
}  // namespace mpbench::kernels

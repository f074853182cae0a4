#include "mpbench/kernels/emulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <string>

#include "mpbench/core/error.hpp"
#include "mpbench/device/cpu_features.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "support/environment_variable.hpp"

namespace mpbench::kernels {
namespace {

constexpr EmulatedOperations all_of(Precision precision) {
  return {precision, true, true, true, true};
}

struct ConvolutionResult {
  at::Tensor output, input_gradient, weight_gradient, bias_gradient;
};

class EmulationTest : public ::testing::TestWithParam<Precision> {
 protected:
  static at::ScalarType dtype() {
    return GetParam() == Precision::fp16 ? at::kHalf : at::kBFloat16;
  }
  static at::Tensor rounded(const at::Tensor& tensor) { return tensor.to(dtype()); }
  /// Half of the distance between 1 and the next value.
  static double half_unit() { return GetParam() == Precision::fp16 ? 0x1p-11 : 0x1p-8; }

  /// A convolution and its gradients, all of `type`, from fixed values that dtype() holds exactly.
  static ConvolutionResult convolve(at::ScalarType type, at::MemoryFormat format,
                                    std::int64_t groups = 1, bool with_bias = true) {
    torch::manual_seed(3);
    const auto leaf = [&](at::IntArrayRef sizes) {
      const at::Tensor values = rounded(at::randn(sizes)).to(type);
      return (sizes.size() == 4 ? values.contiguous(format) : values).requires_grad_();
    };
    const at::Tensor input = leaf({2, 8, 9, 9});
    const at::Tensor weight = leaf({8, 8 / groups, 3, 3});
    const at::Tensor bias = with_bias ? leaf({8}) : at::Tensor();
    const at::Tensor output = at::conv2d(input, weight, bias, {2, 1}, {1, 1}, {1, 1}, groups);
    output.backward(at::ones_like(output) * 0.5);
    return {output, input.grad(), weight.grad(), with_bias ? bias.grad() : bias};
  }

  /// `actual` is the exact result, rounded once: half a unit, and float32's own sums before it.
  static void expect_rounded_once(const at::Tensor& actual, const at::Tensor& exact) {
    ASSERT_EQ(actual.defined(), exact.defined());
    if (!actual.defined()) return;
    EXPECT_EQ(actual.scalar_type(), dtype());
    ASSERT_EQ(exact.scalar_type(), at::kDouble);
    const double scale = exact.abs().max().item<double>();
    const at::Tensor allowed = half_unit() * exact.abs() + 1e-6 * scale + 6e-8;
    const at::Tensor error = (actual.to(at::kDouble) - exact).abs();
    EXPECT_TRUE((error <= allowed).all().item<bool>()) << (error - allowed).max().item<double>();
  }

  static void expect_rounded_once(const ConvolutionResult& actual, const ConvolutionResult& exact) {
    expect_rounded_once(actual.output, exact.output);
    expect_rounded_once(actual.input_gradient, exact.input_gradient);
    expect_rounded_once(actual.weight_gradient, exact.weight_gradient);
    expect_rounded_once(actual.bias_gradient, exact.bias_gradient);
  }
};
INSTANTIATE_TEST_SUITE_P(Types, EmulationTest, ::testing::Values(Precision::bf16, Precision::fp16),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_P(EmulationTest, IsTheFloat64ResultRoundedOnce) {
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    for (const std::int64_t groups : {1, 2, 8}) {
      for (const bool with_bias : {true, false}) {
        expect_rounded_once(convolve(dtype(), format, groups, with_bias),
                            convolve(at::kDouble, format, groups, with_bias));
      }
    }
  }
}

TEST_P(EmulationTest, IsTheFloat32ResultToTheBit) {
  const ConvolutionResult in_float = convolve(at::kFloat, at::MemoryFormat::ChannelsLast);
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  const ConvolutionResult emulated = convolve(dtype(), at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(emulated.output.equal(rounded(in_float.output)));
  EXPECT_TRUE(emulated.input_gradient.equal(rounded(in_float.input_gradient)));
  EXPECT_TRUE(emulated.weight_gradient.equal(rounded(in_float.weight_gradient)));
  EXPECT_TRUE(emulated.bias_gradient.equal(rounded(in_float.bias_gradient)));
  const at::Tensor a = rounded(at::randn({40, 700}));
  const at::Tensor b = rounded(at::randn({700, 50}));
  EXPECT_TRUE(at::mm(a, b).equal(rounded(at::mm(a.to(at::kFloat), b.to(at::kFloat)))));
}

TEST_P(EmulationTest, AgreesWithTheFrameworksOwnKernels) {
  const ConvolutionResult own = convolve(dtype(), at::MemoryFormat::ChannelsLast);
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  const ConvolutionResult emulated = convolve(dtype(), at::MemoryFormat::ChannelsLast);
  const auto expect_close = [](const at::Tensor& a, const at::Tensor& b) {
    const double scale = a.abs().max().item<double>();
    EXPECT_TRUE(at::allclose(a.to(at::kDouble), b.to(at::kDouble), 8 * half_unit(),
                             8 * half_unit() * scale));
  };
  expect_close(own.output, emulated.output);
  expect_close(own.input_gradient, emulated.input_gradient);
  expect_close(own.weight_gradient, emulated.weight_gradient);
  expect_close(own.bias_gradient, emulated.bias_gradient);
}

TEST_P(EmulationTest, EachDirectionIsTheFrameworksOrEmulated) {
  for (const bool with_bias : {true, false}) {
    const auto run = [&](at::ScalarType type) {
      return convolve(type, at::MemoryFormat::ChannelsLast, 1, with_bias);
    };
    const ConvolutionResult exact = run(at::kDouble);
    const ConvolutionResult own = run(dtype());
    const auto expect = [](const at::Tensor& actual, bool emulated, const at::Tensor& of_aten,
                           const at::Tensor& in_double) {
      if (emulated) {
        expect_rounded_once(actual, in_double);
      } else if (actual.defined()) {
        EXPECT_TRUE(actual.equal(of_aten));
      }
    };
    for (int directions = 0; directions < 8; ++directions) {
      SCOPED_TRACE(directions);
      const EmulatedOperations emulated{GetParam(), (directions & 1) != 0, (directions & 2) != 0,
                                        (directions & 4) != 0, false};
      const CpuKernelsGuard guard({.emulated = emulated});
      const ConvolutionResult mixed = run(dtype());
      expect(mixed.output, emulated.forward, own.output, exact.output);
      expect(mixed.input_gradient, emulated.data_gradient, own.input_gradient,
             exact.input_gradient);
      expect(mixed.weight_gradient, emulated.weight_gradient, own.weight_gradient,
             exact.weight_gradient);
      expect(mixed.bias_gradient, emulated.weight_gradient, own.bias_gradient, exact.bias_gradient);
    }
  }
}

TEST_P(EmulationTest, KeepsChannelsLast) {
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  const ConvolutionResult result = convolve(dtype(), at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(result.output.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(result.input_gradient.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(result.weight_gradient.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST_P(EmulationTest, KeepsInfAndNan) {
  const double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor input = rounded(at::ones({1, 1, 1, 40}));
  input[0][0][0][5] = infinity;
  input[0][0][0][15] = -infinity;
  input[0][0][0][25] = std::nan("");
  const at::Tensor weight = rounded(at::ones({1, 1, 1, 1}));
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  const at::Tensor output = at::conv2d(input, weight);
  EXPECT_EQ(output[0][0][0][5].item<double>(), infinity);
  EXPECT_EQ(output[0][0][0][15].item<double>(), -infinity);
  EXPECT_TRUE(std::isnan(output[0][0][0][25].item<double>()));
  EXPECT_EQ(output.isfinite().sum().item<int>(), 37);
}

TEST_P(EmulationTest, LeavesOtherDtypesAsTheyAre) {
  const at::ScalarType other = GetParam() == Precision::fp16 ? at::kBFloat16 : at::kHalf;
  for (const at::ScalarType type : {at::kFloat, at::kDouble, other}) {
    const ConvolutionResult before = convolve(type, at::MemoryFormat::ChannelsLast);
    const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
    const ConvolutionResult during = convolve(type, at::MemoryFormat::ChannelsLast);
    EXPECT_EQ(during.output.scalar_type(), type);
    EXPECT_TRUE(during.output.equal(before.output));
    EXPECT_TRUE(during.input_gradient.equal(before.input_gradient));
    EXPECT_TRUE(during.weight_gradient.equal(before.weight_gradient));
    EXPECT_TRUE(during.bias_gradient.equal(before.bias_gradient));
  }
}

/// The kernels that the dispatcher has, as text.
std::string dispatch_table(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").dumpState();
}

TEST_P(EmulationTest, PutsTheKernelsBack) {
  for (const char* name : {"aten::convolution", "aten::convolution_backward", "aten::mm",
                           "aten::addmm", "aten::bmm", "aten::baddbmm"}) {
    const std::string before = dispatch_table(name);
    EXPECT_THAT(before, ::testing::Not(::testing::HasSubstr("cpu_kernels")));
    {
      const CpuKernelsGuard outer({.emulated = all_of(GetParam())});
      EXPECT_THAT(dispatch_table(name), ::testing::HasSubstr("cpu_kernels"));
      {
        const CpuKernelsGuard inner({});
        EXPECT_EQ(inner.options().emulated->label(), "emulated in fp32")
            << "the outermost guard's holds";
      }
      EXPECT_THAT(dispatch_table(name), ::testing::HasSubstr("cpu_kernels"));
    }
    EXPECT_EQ(dispatch_table(name), before);
  }
}

TEST_P(EmulationTest, WarnsOfNothing) {
  const c10::WarningUtils::WarnAlways also_what_is_said_once;
  ::testing::internal::CaptureStderr();
  {
    const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
    (void)convolve(dtype(), at::MemoryFormat::Contiguous);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_P(EmulationTest, MultipliesMatricesInFloat32AndRoundsOnce) {
  const at::Tensor a = rounded(at::randn({5, 700}));
  const at::Tensor b = rounded(at::randn({700, 6}));
  const at::Tensor c = rounded(at::randn({6}));
  const at::Tensor batch_a = rounded(at::randn({3, 5, 70}));
  const at::Tensor batch_b = rounded(at::randn({3, 70, 6}));
  const auto d = [](const at::Tensor& t) { return t.to(at::kDouble); };
  const CpuKernelsGuard guard({.emulated = all_of(GetParam())});
  expect_rounded_once(at::mm(a, b), at::mm(d(a), d(b)));
  expect_rounded_once(at::addmm(c, a, b, 0.5, 2.0), at::addmm(d(c), d(a), d(b), 0.5, 2.0));
  expect_rounded_once(at::linear(a, b.t(), c), at::addmm(d(c), d(a), d(b)));
  expect_rounded_once(at::bmm(batch_a, batch_b), at::bmm(d(batch_a), d(batch_b)));
  expect_rounded_once(at::baddbmm(c, batch_a, batch_b, 0.5, 2.0),
                      at::baddbmm(d(c), d(batch_a), d(batch_b), 0.5, 2.0));
}

TEST(EmulatedOperationsTest, FollowTheProcessor) {
  device::CpuFeatures cpu;
  EXPECT_EQ(emulated_operations(Precision::bf16, cpu).label(), "emulated in fp32");
  EXPECT_EQ(emulated_operations(Precision::fp16, cpu).label(), "emulated in fp32");
  EXPECT_TRUE(emulated_operations(Precision::bf16, cpu).matrix_product);
  EXPECT_TRUE(emulated_operations(Precision::fp16, cpu).matrix_product);
  cpu.avx512_bf16 = true;  // Cooper Lake, Zen 4
  EXPECT_FALSE(emulated_operations(Precision::bf16, cpu).any());
  EXPECT_EQ(emulated_operations(Precision::bf16, cpu).label(), "native");
  EXPECT_EQ(emulated_operations(Precision::fp16, cpu).label(), "emulated in fp32");
  cpu.avx512_fp16 = true;  // Sapphire Rapids
  EXPECT_EQ(emulated_operations(Precision::fp16, cpu).label(), "native, weight-gradient in fp32");
  EXPECT_FALSE(emulated_operations(Precision::fp16, cpu).forward);
  EXPECT_FALSE(emulated_operations(Precision::fp16, cpu).data_gradient);
  EXPECT_TRUE(emulated_operations(Precision::fp16, cpu).weight_gradient);
  cpu.amx_fp16 = true;  // Granite Rapids
  EXPECT_EQ(emulated_operations(Precision::fp16, cpu).label(), "native");
  EXPECT_FALSE(emulated_operations(Precision::fp16, cpu).any());
}

TEST(EmulatedOperationsTest, TheEnvironmentOverridesThem) {
  for (const Precision precision : {Precision::bf16, Precision::fp16}) {
    {
      const EnvironmentVariable choice("MPBENCH_EMULATION", "none");
      EXPECT_FALSE(emulated_operations(precision).any());
    }
    {
      const EnvironmentVariable choice("MPBENCH_EMULATION", "all");
      EXPECT_EQ(emulated_operations(precision).label(), "emulated in fp32");
    }
    {
      const EnvironmentVariable choice("MPBENCH_EMULATION", "sometimes");
      EXPECT_THROW((void)emulated_operations(precision), UsageError);
    }
  }
}

TEST(EmulationOptionTest, HasItsNames) {
  EXPECT_EQ(parse_enum<Emulation>("auto", "--emulation"), Emulation::automatic);
  EXPECT_EQ(parse_enum<Emulation>("framework", "--emulation"), Emulation::framework);
  EXPECT_THROW((void)parse_enum<Emulation>("fp32", "--emulation"), UsageError);
}

}  // namespace
}  // namespace mpbench::kernels

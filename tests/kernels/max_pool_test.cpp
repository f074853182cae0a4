#include "mpbench/kernels/max_pool.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "mpbench/kernels/cpu_kernels.hpp"
#include "support/environment_variable.hpp"

namespace mpbench::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

at::Tensor leaf(const at::Tensor& values, at::ScalarType dtype) {
  return values.to(dtype).contiguous(at::MemoryFormat::ChannelsLast).detach().requires_grad_();
}

void expect_the_frameworks(const at::Tensor& values, at::ScalarType dtype) {
  const at::Tensor ours = leaf(values, dtype);
  const at::Tensor theirs = leaf(values, dtype);
  const at::Tensor pooled = max_pool_2x2(ours);
  const at::Tensor expected = torch::max_pool2d(theirs, 2);
  ASSERT_EQ(pooled.sizes(), expected.sizes());
  EXPECT_EQ(pooled.scalar_type(), dtype);
  EXPECT_TRUE(pooled.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::allclose(pooled, expected, 0, 0, /*equal_nan=*/true));
  const at::Tensor gradient = at::randn(pooled.sizes()).to(dtype);
  pooled.backward(gradient);
  expected.backward(gradient);
  EXPECT_TRUE(ours.grad().equal(theirs.grad())) << values.sizes() << " " << dtype;
}

class MaxPoolTest : public testing::TestWithParam<const char*> {};

TEST_P(MaxPoolTest, IsTheFrameworksPoolingAndGradient) {
  const EnvironmentVariable instructions("MPBENCH_KERNELS", GetParam());
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const std::int64_t channels : {1, 3, 16, 31, 32, 33, 64, 100}) {
      for (const auto& [height, width] : {std::pair{2, 2}, {8, 6}, {9, 7}, {3, 2}, {2, 31}}) {
        torch::manual_seed(channels);
        const at::Tensor values = at::randn({3, channels, height, width});
        expect_the_frameworks(values, dtype);
        // After a ReLU half of the pixels are equal; rounded, so are many others.
        expect_the_frameworks(values.relu(), dtype);
        expect_the_frameworks(values.round(), dtype);
      }
    }
  }
}

TEST_P(MaxPoolTest, TakesWhatIsNoNumberAsTheFrameworkDoes) {
  const EnvironmentVariable instructions("MPBENCH_KERNELS", GetParam());
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  const std::vector<float> odd{-infinity, infinity, nan, -0.0F, 0.0F, 1.0F};
  at::Tensor values = at::empty({6 * 6, 5, 12, 12});
  auto flat = values.view(-1);
  for (std::int64_t i = 0, random = 1; i < flat.numel(); ++i) {
    random = random * 1103515245 % 2147483647;
    values.data_ptr<float>()[i] = odd[static_cast<std::size_t>(random / 7 % 6)];
  }
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    expect_the_frameworks(values, dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(Instructions, MaxPoolTest, testing::Values("auto", "avx2"),
                         [](const auto& chosen) { return std::string(chosen.param); });

TEST(MaxPoolOtherwiseTest, IsTheFrameworksWhereItIsNotOurs) {
  const at::Tensor values = at::randn({2, 5, 6, 4});
  {
    const CpuKernelsGuard guard({.norm_and_pooling = true});
    EXPECT_TRUE(max_pool_2x2(values).equal(torch::max_pool2d(values, 2)));
    const at::Tensor exact = values.to(at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
    EXPECT_TRUE(max_pool_2x2(exact).equal(torch::max_pool2d(exact, 2)));
  }
  expect_the_frameworks(values, at::kFloat);
}

}  // namespace
}  // namespace mpbench::kernels

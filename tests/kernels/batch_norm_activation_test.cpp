#include "mpbench/kernels/batch_norm_activation.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <vector>

#include "mpbench/kernels/cpu_kernels.hpp"

namespace mpbench::kernels {
namespace {

/// Output, gradients and running statistics of one training step of a norm.
std::vector<at::Tensor> step(at::ScalarType dtype, at::IntArrayRef sizes) {
  torch::manual_seed(4);
  const at::Tensor input =
      at::randn(sizes).to(dtype).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  torch::nn::BatchNorm2d norm(sizes[1]);
  const at::Tensor output = batch_norm_activation(*norm, input, Activation::silu);
  output.backward(at::randn(sizes).to(dtype));
  return {
      output,           input.grad(), norm->weight.grad(), norm->bias.grad(), norm->running_mean,
      norm->running_var};
}

TEST(BatchNormActivationTest, DoesNotDependOnThreads) {
  const int threads = at::get_num_threads();
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    at::set_num_threads(1);
    const auto alone = step(dtype, {4, 40, 30, 31});
    for (const int count : {2, 3}) {
      at::set_num_threads(count);
      const auto together = step(dtype, {4, 40, 30, 31});
      for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(together[i].equal(alone[i])) << i;
    }
  }
  at::set_num_threads(threads);
}

TEST(BatchNormActivationTest, IsFusedOnlyWhereAsked) {
  const at::Tensor input = at::randn({2, 8, 5, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  torch::nn::BatchNorm2d norm(8);
  EXPECT_FALSE(fuses_batch_norm(*norm, input));
  {
    const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic});
    EXPECT_FALSE(fuses_batch_norm(*norm, input));
  }
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  EXPECT_TRUE(fuses_batch_norm(*norm, input));
  EXPECT_FALSE(fuses_batch_norm(*norm, input.contiguous()));
  EXPECT_FALSE(fuses_batch_norm(*norm, input.to(at::kDouble)));
  norm->eval();
  EXPECT_FALSE(fuses_batch_norm(*norm, input));
  torch::nn::BatchNorm2d plain(torch::nn::BatchNormOptions(8).affine(false));
  EXPECT_FALSE(fuses_batch_norm(*plain, input));
}

TEST(BatchNormActivationTest, WorksWithoutRunningStatistics) {
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  const at::Tensor input = at::randn({2, 8, 5, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  torch::nn::BatchNorm2d norm(torch::nn::BatchNormOptions(8).track_running_stats(false));
  ASSERT_TRUE(fuses_batch_norm(*norm, input));
  const at::Tensor output = batch_norm_activation(*norm, input, Activation::relu);
  EXPECT_TRUE(at::allclose(output, at::relu(norm->forward(input)), 1e-5, 1e-6));
}

TEST(BatchNormActivationTest, AgreesWithNumericalGradients) {
  // Of the whole block in float32: central differences of the sum of squares.
  const CpuKernelsGuard guard({.depthwise = DepthwiseBackend::automatic, .norm_and_pooling = true});
  torch::manual_seed(8);
  const at::Tensor input = at::randn({2, 8, 6, 6}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor weight = at::randn({8, 1, 3, 3}).requires_grad_();
  torch::nn::BatchNorm2d norm(8);
  const at::Tensor direction = at::randn({2, 8, 6, 6});
  const auto loss = [&](const at::Tensor& filter) {
    const at::Tensor maps = at::conv2d(input, filter, at::Tensor(), 1, 1, 1, 8);
    return (batch_norm_activation(*norm, maps, Activation::silu) * direction).sum();
  };
  loss(weight).backward();
  const torch::NoGradGuard no_grad;
  const at::Tensor towards = at::randn({8, 1, 3, 3});
  const double step_size = 1e-2;
  const double numeric =
      (loss(weight + step_size * towards) - loss(weight - step_size * towards)).item<double>() /
      (2 * step_size);
  EXPECT_NEAR((weight.grad() * towards).sum().item<double>(), numeric,
              2e-2 * std::abs(numeric) + 1e-2);
}

}  // namespace
}  // namespace mpbench::kernels

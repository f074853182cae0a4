#include "mpbench/kernels/spatial_mean.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/kernels/cpu_kernels.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::kernels {
namespace {

TEST(SpatialMeanTest, IsTheFrameworksPoolingAndGradient) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    for (const bool fused : {false, true}) {
      const CpuKernelsGuard guard({.norm_and_pooling = fused});
      torch::manual_seed(2);
      const auto leaf = [&] {
        torch::manual_seed(2);
        return at::randn({2, 5, 4, 3})
            .to(dtype)
            .contiguous(at::MemoryFormat::ChannelsLast)
            .requires_grad_();
      };
      const at::Tensor ours = leaf();
      const at::Tensor theirs = leaf();
      // A squeeze-and-excitation: the image also takes part in a product.
      const at::Tensor mean = spatial_mean(ours);
      const at::Tensor pooled = torch::adaptive_avg_pool2d(theirs, {1, 1});
      EXPECT_TRUE(mean.equal(pooled));
      (ours * mean.sigmoid()).sum().backward();
      (theirs * pooled.sigmoid()).sum().backward();
      EXPECT_TRUE(ours.grad().equal(theirs.grad()));
      EXPECT_TRUE(ours.grad().is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(SpatialMeanTest, IsTheFrameworksOnAGpuToo) {
  SKIP_WITHOUT_CUDA();
  const auto device = device::parse_device("cuda");
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const auto leaf = [&] {
      torch::manual_seed(2);
      return at::randn({2, 5, 4, 3})
          .to(device, dtype)
          .contiguous(at::MemoryFormat::ChannelsLast)
          .requires_grad_();
    };
    const at::Tensor ours = leaf();
    const at::Tensor theirs = leaf();
    const at::Tensor mean = spatial_mean(ours);
    const at::Tensor pooled = torch::adaptive_avg_pool2d(theirs, {1, 1});
    EXPECT_TRUE(mean.equal(pooled)) << dtype;
    (ours * mean.sigmoid()).sum().backward();
    (theirs * pooled.sigmoid()).sum().backward();
    EXPECT_TRUE(ours.grad().equal(theirs.grad())) << dtype;
    EXPECT_TRUE(ours.grad().is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(SpatialMeanTest, TakesWhatIsNotChannelsLast) {
  const CpuKernelsGuard guard({.norm_and_pooling = true});
  const at::Tensor input = at::randn({2, 5, 4, 3});
  EXPECT_TRUE(spatial_mean(input).equal(torch::adaptive_avg_pool2d(input, {1, 1})));
}

}  // namespace
}  // namespace mpbench::kernels

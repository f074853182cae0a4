#include "mpbench/device/cuda_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mpbench/core/error.hpp"
#include "support/cuda_device.hpp"

namespace mpbench::device {
namespace {

TEST(CapturedGraphTest, IsForCudaAlone) {
  EXPECT_THAT([] { CapturedGraph(torch::kCPU, [] {}); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("needs a CUDA device")));
}

TEST(CapturedGraphTest, DoesTheWorkOnlyWhenItIsReplayed) {
  SKIP_WITHOUT_CUDA();
  const torch::NoGradGuard no_grad;
  const auto device = parse_device("cuda");
  const auto sum = torch::zeros({1000}, device);
  const auto added = torch::ones({1000}, device);
  const auto work = [&] { torch::Tensor(sum).add_(added * 2); };
  work();
  torch::Tensor(sum).zero_();
  CapturedGraph graph(device, work);
  EXPECT_EQ(sum.max().item<float>(), 0);
  graph.replay();
  graph.replay();
  EXPECT_EQ(sum.min().item<float>(), 4);
  torch::Tensor(added).fill_(10);
  graph.replay();
  EXPECT_EQ(sum.min().item<float>(), 24) << "the same tensors, with what they hold now";
}

TEST(CapturedGraphTest, PassesOnWhatTheWorkThrows) {
  SKIP_WITHOUT_CUDA();
  const auto device = parse_device("cuda");
  EXPECT_THROW(CapturedGraph(device, [] { throw Error("no"); }), Error);
  EXPECT_EQ(torch::ones({3}, device).sum().item<float>(), 3) << "the device goes on";
}

}  // namespace
}  // namespace mpbench::device

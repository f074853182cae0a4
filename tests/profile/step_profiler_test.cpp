#include "mpbench/profile/step_profiler.hpp"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "mpbench/core/timer.hpp"
#include "mpbench/device/step_range.hpp"
#include "mpbench/io/file_bytes.hpp"
#include "mpbench/io/json_text.hpp"
#include "support/temporary_folder.hpp"

namespace mpbench::profile {
namespace {

using testing::DoubleNear;
using testing::Optional;

const OperatorRecord* find(const std::vector<OperatorRecord>& operators, OperatorKind kind) {
  for (const OperatorRecord& row : operators) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

class StepProfilerTest : public testing::Test {
 protected:
  /// Forward and backward of two convolutions and a linear layer, twice.
  void profile_steps() {
    torch::nn::Sequential model(
        torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).padding(1)), torch::nn::ReLU(),
        torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 20, 3).padding(1)),
        torch::nn::AdaptiveAvgPool2d(1), torch::nn::Flatten(), torch::nn::Linear(20, 2));
    const torch::Tensor images = torch::rand({4, 3, 32, 32});
    const torch::Tensor labels = torch::tensor({0, 1, 0, 1});
    profiler_.start();
    const Stopwatch clock;
    for (int step = 0; step < 2; ++step) {
      const torch::Tensor logits = model->forward(images);
      torch::Tensor loss;
      {
        const device::StepRange range(device::StepPart::loss);
        loss = torch::cross_entropy_loss(logits, labels);
      }
      loss.backward();
      const device::StepRange range(device::StepPart::optimizer);
      for (const torch::Tensor& parameter : model->parameters()) {
        parameter.mutable_grad().mul_(0.1);
      }
    }
    profiler_.stop(2, clock.seconds(), 0);
  }

  StepProfiler profiler_{torch::kCPU};
  TemporaryFolder folder_;
};

TEST_F(StepProfilerTest, TellsKindsCostsAndTheGradientsApart) {
  profile_steps();
  EXPECT_EQ(profiler_.steps(), 2);
  const StepProfile profile = profiler_.profile(/*channels_last=*/true);
  double sum_ms = 0;
  double forward_gflop = 0;
  for (const OperatorRecord& row : profile.operators) {
    sum_ms += row.ms;
    if (row.kind == OperatorKind::convolution_forward) forward_gflop += row.gflop.value_or(0);
  }
  const double step_ms = profile.operators.front().profiled_step_ms;
  EXPECT_THAT(sum_ms, DoubleNear(step_ms, 0.03 * step_ms));
  EXPECT_THAT(forward_gflop, DoubleNear(2e-9 * 4 * 32 * 32 * (8 * 3 * 9 + 20 * 8 * 9), 1e-12));
  for (const OperatorKind kind :
       {OperatorKind::convolution_forward, OperatorKind::convolution_data_gradient,
        OperatorKind::convolution_weight_gradient, OperatorKind::norm_activation,
        OperatorKind::pooling, OperatorKind::linear, OperatorKind::loss, OperatorKind::optimizer,
        OperatorKind::host}) {
    EXPECT_NE(find(profile.operators, kind), nullptr) << enum_name(kind);
  }
  EXPECT_EQ(find(profile.operators, OperatorKind::convolution_backward), nullptr);
  EXPECT_EQ(find(profile.operators, OperatorKind::convolution_forward)->dtype, "float32");
  ASSERT_EQ(profile.convolutions.size(), 2U);
  for (const ConvolutionRecord& each : profile.convolutions) {
    EXPECT_EQ(each.calls, 1);
    EXPECT_GT(each.forward_ms, 0);
    EXPECT_GT(each.data_gradient_ms, 0);
    EXPECT_GT(each.weight_gradient_ms, 0);
    EXPECT_GT(each.other_format_ms, 0);
    // 3 channels are an image's; 8 are a multiple of 8, and 20 are not.
    EXPECT_EQ(each.padded_ms.has_value(), each.shapes == "[4,8,32,32] [20,8,3,3] [20]");
    if (each.padded_ms) {
      EXPECT_EQ(each.padded_channels, "8 to 24");
      EXPECT_THAT(each.padded_work, Optional(1.2));
    }
  }
}

TEST_F(StepProfilerTest, WritesAChromeTrace) {
  profile_steps();
  profiler_.write_trace(folder_ / "trace.json");
  const FileBytes file(folder_ / "trace.json");
  const nlohmann::json trace =
      parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  ASSERT_TRUE(trace.is_object());
  EXPECT_TRUE(trace.at("traceEvents").is_array());
  EXPECT_NE(trace.dump().find("aten::convolution"), std::string::npos);
}

TEST_F(StepProfilerTest, NothingWasProfiled) {
  EXPECT_EQ(profiler_.steps(), 0);
  EXPECT_THROW(profiler_.write_trace(folder_ / "trace.json"), Error);
}

}  // namespace
}  // namespace mpbench::profile

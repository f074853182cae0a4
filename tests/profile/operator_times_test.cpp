#include "../../src/profile/operator_times.hpp"

#include <gmock/gmock.h>

#include <map>

namespace mpbench::profile {
namespace {

using testing::Pair;
using testing::UnorderedElementsAre;

ProfiledEvent event(const std::string& name, std::int64_t start_ns, std::int64_t end_ns,
                    std::uint64_t thread = 1) {
  return {.name = name, .start_ns = start_ns, .end_ns = end_ns, .thread = thread};
}

std::map<OperatorKind, std::int64_t> ns_by_kind(const std::vector<ProfiledEvent>& events,
                                                TimedDevice device = TimedDevice::cpu) {
  std::map<OperatorKind, std::int64_t> sums;
  for (const OperatorTime& time : operator_times(events, device)) {
    if (time.ns > 0) sums[time.kind] += time.ns;
  }
  return sums;
}

TEST(OperatorTimesTest, AnOperatorHasWhatItCallsUnlessThatIsACopy) {
  // As autocast calls it: a cast, and the convolution of the cast.
  const std::vector<ProfiledEvent> events{
      event("aten::conv2d", 0, 100),       event("aten::to", 10, 30),
      event("aten::_to_copy", 12, 28),     event("aten::copy_", 15, 25),
      event("aten::conv2d", 30, 95),       event("aten::convolution", 35, 90),
      event("aten::_convolution", 40, 85), event("aten::mkldnn_convolution", 45, 80),
      event("aten::empty", 50, 55)};
  EXPECT_THAT(ns_by_kind(events), UnorderedElementsAre(Pair(OperatorKind::convolution_forward, 80),
                                                       Pair(OperatorKind::cast_copy, 20)));
  // The row is that of the operator that computes, not of those that choose it.
  std::int64_t of_convolution = 0;
  int calls = 0;
  for (const OperatorTime& time : operator_times(events, TimedDevice::cpu)) {
    if (time.row != 5) continue;
    of_convolution += time.ns;
    calls += time.is_call ? 1 : 0;
  }
  EXPECT_EQ(of_convolution, 55);
  EXPECT_EQ(calls, 1);
}

TEST(OperatorTimesTest, OfAnOperatorThatCallsItselfTheInnerCallIsTheRow) {
  // As autocast calls it.
  const std::vector<ProfiledEvent> events{event("aten::addmm", 0, 100), event("aten::to", 10, 30),
                                          event("aten::addmm", 40, 90)};
  int calls = 0;
  for (const OperatorTime& time : operator_times(events, TimedDevice::cpu)) {
    if (time.kind != OperatorKind::linear) continue;
    EXPECT_EQ(time.row, 2U);
    calls += time.is_call ? 1 : 0;
  }
  EXPECT_EQ(calls, 1);
}

TEST(OperatorTimesTest, APartOfTheStepHasAllThatIsDoneInIt) {
  const std::vector<ProfiledEvent> events{
      event("gradient scaler", 0, 100), event("aten::mul", 5, 15), event("optimizer", 20, 90),
      event("aten::_fused_adam_", 30, 80), event("aten::copy_", 40, 50)};
  EXPECT_THAT(ns_by_kind(events), UnorderedElementsAre(Pair(OperatorKind::optimizer, 70),
                                                       Pair(OperatorKind::gradient_scaler, 30)));
}

TEST(OperatorTimesTest, NodesOfTheBackwardPassAreHost) {
  const std::vector<ProfiledEvent> events{
      event("forward and backward", 0, 100),
      event("autograd::engine::evaluate_function: ConvolutionBackward0", 10, 90),
      event("ConvolutionBackward0", 12, 88), event("aten::convolution_backward", 15, 80),
      event("aten::add_", 92, 98)};
  EXPECT_THAT(ns_by_kind(events),
              UnorderedElementsAre(Pair(OperatorKind::convolution_backward, 65),
                                   Pair(OperatorKind::other, 6), Pair(OperatorKind::host, 29)));
}

TEST(OperatorTimesTest, ThreadsAreApart) {
  const std::vector<ProfiledEvent> events{event("aten::mm", 0, 100, 1),
                                          event("aten::relu", 10, 20, 2)};
  EXPECT_THAT(ns_by_kind(events), UnorderedElementsAre(Pair(OperatorKind::linear, 100),
                                                       Pair(OperatorKind::norm_activation, 10)));
}

TEST(OperatorTimesTest, ADepthwiseConvolutionIsOneInAllItsSteps) {
  ProfiledEvent forward = event("aten::convolution", 0, 50);
  forward.shapes = {{2, 16, 8, 8}, {16, 1, 3, 3}};
  forward.convolution =
      ConvolutionSettings{.stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 16};
  ProfiledEvent backward = event("aten::convolution_backward", 60, 160);
  backward.shapes = {{2, 16, 8, 8}, {2, 16, 8, 8}, {16, 1, 3, 3}};
  backward.convolution = forward.convolution;
  EXPECT_THAT(ns_by_kind({forward, event("aten::_convolution", 10, 40), backward}),
              UnorderedElementsAre(Pair(OperatorKind::depthwise, 150)));
}

TEST(OperatorTimesTest, AGradientThatIsAskedForAloneIsTold) {
  ProfiledEvent backward = event("aten::convolution_backward", 0, 100);
  backward.shapes = {{2, 16, 8, 8}, {2, 1, 8, 8}, {16, 1, 3, 3}};
  backward.convolution = ConvolutionSettings{
      .stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .data_gradient = false};
  EXPECT_THAT(ns_by_kind({backward}),
              UnorderedElementsAre(Pair(OperatorKind::convolution_weight_gradient, 100)));
}

TEST(OperatorTimesTest, OnAGpuKernelsCountAndAreToldApartByTheirNames) {
  ProfiledEvent backward = event("aten::convolution_backward", 0, 10);
  backward.device_ns = 100;
  backward.data_gradient_ns = 60;
  backward.weight_gradient_ns = 30;
  EXPECT_THAT(ns_by_kind({backward}, TimedDevice::gpu),
              UnorderedElementsAre(Pair(OperatorKind::convolution_data_gradient, 60),
                                   Pair(OperatorKind::convolution_weight_gradient, 30),
                                   Pair(OperatorKind::convolution_backward, 10)));
}

}  // namespace
}  // namespace mpbench::profile

#include "kineto_events.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <string_view>

namespace mpbench::profile {
namespace {

using torch::autograd::profiler::KinetoEvent;

/// Which arguments of an operator say how it convolves.
struct ConvolutionArguments {
  std::string_view name;
  std::size_t stride;  ///< padding, dilation, transposed, output padding and groups follow
  bool has_mask;       ///< of the gradients that are asked for, after the groups
};

constexpr auto convolutions = std::to_array<ConvolutionArguments>(
    {{"aten::convolution", 3, false}, {"aten::convolution_backward", 4, true}});

std::vector<std::int64_t> whole_numbers(const c10::IValue& value) {
  if (value.isIntList()) return value.toIntVector();
  std::vector<std::int64_t> numbers;
  if (!value.isList()) return numbers;
  for (const c10::IValue& each : value.toListRef()) {
    if (!each.isInt()) return {};
    numbers.push_back(each.toInt());
  }
  return numbers;
}

std::vector<bool> truths(const c10::IValue& value) {
  std::vector<bool> all;
  if (value.isBoolList()) {
    for (const bool each : value.toBoolList()) all.push_back(each);
  } else if (value.isList()) {
    for (const c10::IValue& each : value.toListRef()) all.push_back(each.isBool() && each.toBool());
  }
  return all;
}

std::optional<ConvolutionSettings> convolution_settings(const KinetoEvent& event,
                                                        std::string_view name) {
  for (const ConvolutionArguments& each : convolutions) {
    if (each.name != name || !event.hasConcreteInputs()) continue;
    const auto inputs = event.concreteInputs();
    const std::size_t transposed = each.stride + 3, groups = each.stride + 5;
    if (inputs.size() <= groups + (each.has_mask ? 1 : 0)) return std::nullopt;
    ConvolutionSettings settings{.stride = whole_numbers(inputs[each.stride]),
                                 .padding = whole_numbers(inputs[each.stride + 1]),
                                 .dilation = whole_numbers(inputs[each.stride + 2])};
    if (!inputs[groups].isInt()) return std::nullopt;
    settings.transposed = inputs[transposed].isBool() && inputs[transposed].toBool();
    settings.groups = inputs[groups].toInt();
    if (each.has_mask) {
      const std::vector<bool> mask = truths(inputs[groups + 1]);
      if (mask.size() != 3) return std::nullopt;
      settings.data_gradient = mask[0];
      settings.weight_gradient = mask[1];
    }
    return settings;
  }
  return std::nullopt;
}

ProfiledEvent host_event(const KinetoEvent& event) {
  ProfiledEvent result{.name = event.name(),
                       .start_ns = static_cast<std::int64_t>(event.startNs()),
                       .end_ns = static_cast<std::int64_t>(event.endNs()),
                       .thread = event.startThreadId()};
  if (event.hasShapes()) result.shapes = event.shapes().vec();
  if (event.hasTypes()) result.dtypes = event.dtypes().vec();
  result.convolution = convolution_settings(event, result.name);
  return result;
}

/// Adds a kernel's time to the call that started it.
void add_kernel(ProfiledEvent& call, const KinetoEvent& kernel) {
  const auto ns = static_cast<std::int64_t>(kernel.durationNs());
  const std::string name = kernel.name();
  call.device_ns += ns;
  if (name.find("dgrad") != std::string::npos) call.data_gradient_ns += ns;
  if (name.find("wgrad") != std::string::npos) call.weight_gradient_ns += ns;
}

}  // namespace

std::vector<ProfiledEvent> host_events(const torch::autograd::profiler::ProfilerResult& result) {
  std::vector<ProfiledEvent> events;
  std::map<std::uint64_t, std::size_t> by_correlation;
  for (const KinetoEvent& event : result.events()) {
    if (event.deviceType() != c10::DeviceType::CPU || event.isHiddenEvent()) continue;
    by_correlation.emplace(event.correlationId(), events.size());
    events.push_back(host_event(event));
  }
  for (const KinetoEvent& event : result.events()) {
    if (event.deviceType() == c10::DeviceType::CPU) continue;
    const auto call = by_correlation.find(event.linkedCorrelationId());
    if (call != by_correlation.end()) add_kernel(events[call->second], event);
  }
  return events;
}

}  // namespace mpbench::profile

#include "operator_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "operator_cost.hpp"
#include "operator_names.hpp"

namespace mpbench::profile {
namespace {

constexpr double ms_per_ns = 1e-6;

/// Of the first tensor.
std::string dtype_of(const ProfiledEvent& event) {
  for (std::size_t i = 0; i < event.shapes.size() && i < event.dtypes.size(); ++i) {
    if (!event.shapes[i].empty()) return dtype_name(event.dtypes[i]);
  }
  return {};
}

/// Adds what is known; once something is not, the sum is not either.
void add(std::optional<double>& sum, const std::optional<double>& part, bool first) {
  if (!part) {
    sum.reset();
  } else if (first) {
    sum = *part;
  } else if (sum) {
    *sum += *part;
  }
}

}  // namespace

std::string shapes_text(const ProfiledEvent& event) {
  std::string text;
  for (const Shape& shape : event.shapes) {
    if (shape.empty()) continue;
    text += fmt::format("{}[{}]", text.empty() ? "" : " ", fmt::join(shape, ","));
  }
  return text;
}

void OperatorTable::add(const std::vector<ProfiledEvent>& events, TimedDevice device,
                        std::int64_t steps, double seconds, double data_wait_s) {
  const std::vector<OperatorTime> times = operator_times(events, device);
  const double before_ms = ms_;
  double told_ms = 0;
  for (const OperatorTime& time : times) {
    // On a GPU the host's own time is no part of the step's: what counts is when the GPU is idle.
    if (device == TimedDevice::gpu && time.ns == 0 && !time.is_call) continue;
    add_time(events[time.row], time);
    told_ms += ms_per_ns * static_cast<double>(time.ns);
  }
  if (device == TimedDevice::gpu) {
    rows_[{OperatorKind::data_wait, "", "", ""}].ms += 1e3 * data_wait_s;
    told_ms += 1e3 * data_wait_s;
  }
  rows_[{OperatorKind::host, "", "", ""}].ms += std::max(0.0, 1e3 * seconds - told_ms);
  steps_ += steps;
  ms_ = before_ms + 1e3 * seconds;
}

void OperatorTable::add_time(const ProfiledEvent& event, const OperatorTime& time) {
  const bool named = time.kind != OperatorKind::host && time.kind != OperatorKind::data_wait &&
                     is_operator(event.name);
  Row& row = named ? rows_[{time.kind, event.name, shapes_text(event), dtype_of(event)}]
                   : rows_[{time.kind, "", "", ""}];
  row.ms += ms_per_ns * static_cast<double>(time.ns);
  if (named && time.is_call) {
    const OperatorCost cost = cost_of(event);
    const bool first = row.calls == 0;
    const auto scaled = [](const std::optional<double>& value, double factor) {
      return value ? std::optional(*value * factor) : std::nullopt;
    };
    profile::add(row.gflop, scaled(cost.flop, 1e-9), first);
    profile::add(row.mbytes, scaled(cost.bytes, 1e-6), first);
    row.calls += 1;
  }
  if (time.kind == OperatorKind::convolution_forward && event.convolution) {
    add_convolution(event, time);
  }
}

void OperatorTable::add_convolution(const ProfiledEvent& call, const OperatorTime& time) {
  const ConvolutionSettings& how = *call.convolution;
  const std::string key = fmt::format("{} {} {} {} {} {} {}", shapes_text(call), dtype_of(call),
                                      fmt::join(how.stride, ","), fmt::join(how.padding, ","),
                                      fmt::join(how.dilation, ","), how.transposed, how.groups);
  Convolution& convolution =
      convolutions_.try_emplace(key, Convolution{.call = call}).first->second;
  convolution.ms += ms_per_ns * static_cast<double>(time.ns);
  convolution.calls += time.is_call ? 1 : 0;
}

std::vector<OperatorRecord> OperatorTable::records() const {
  const double per_step = 1 / static_cast<double>(std::max<std::int64_t>(1, steps_));
  std::vector<OperatorRecord> records;
  for (const auto& [key, row] : rows_) {
    if (row.ms == 0 && row.calls == 0) continue;
    const auto& [kind, name, shapes, dtype] = key;
    records.push_back({.kind = kind,
                       .name = name,
                       .shapes = shapes,
                       .dtype = dtype,
                       .calls = row.calls * per_step,
                       .ms = row.ms * per_step,
                       .gflop = row.gflop ? std::optional(*row.gflop * per_step) : std::nullopt,
                       .mbytes = row.mbytes ? std::optional(*row.mbytes * per_step) : std::nullopt,
                       .profiled_steps = steps_,
                       .profiled_step_ms = ms_ * per_step});
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.ms > b.ms; });
  return records;
}

std::vector<OperatorTable::Convolution> OperatorTable::convolutions() const {
  std::vector<Convolution> all;
  for (const auto& [key, convolution] : convolutions_) all.push_back(convolution);
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.ms > b.ms; });
  return all;
}

}  // namespace mpbench::profile

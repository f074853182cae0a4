#include "operator_times.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "mpbench/device/step_range.hpp"
#include "operator_cost.hpp"
#include "operator_names.hpp"

namespace mpbench::profile {
namespace {

/// An operator that the events within it belong to.
struct Owner {
  std::size_t event = 0;
  OperatorKind kind = OperatorKind::other;
  bool chooses = false;
};

/// An event that has begun and not ended.
struct OpenEvent {
  std::size_t event = 0;
  std::int64_t within_ns = 0;          ///< of the events within it
  std::optional<OperatorKind> part{};  ///< of the step
  std::optional<std::size_t> copy{};
  std::optional<Owner> owner{};
};

OperatorKind kind_of_call(const ProfiledEvent& event, OperatorKind kind) {
  if (!event.convolution) return kind;
  // Arguments of the backward pass begin with the output's gradient.
  const std::size_t input = kind == OperatorKind::convolution_backward ? 1 : 0;
  const ConvolutionSettings& how = *event.convolution;
  if (event.shapes.size() > input && is_depthwise(event.shapes[input], how)) {
    return OperatorKind::depthwise;
  }
  if (kind != OperatorKind::convolution_backward || how.data_gradient == how.weight_gradient) {
    return kind;
  }
  return how.data_gradient ? OperatorKind::convolution_data_gradient
                           : OperatorKind::convolution_weight_gradient;
}

bool is_convolution(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::convolution_forward:
    case OperatorKind::convolution_data_gradient:
    case OperatorKind::convolution_weight_gradient:
    case OperatorKind::convolution_backward:
    case OperatorKind::depthwise:
      return true;
    default:
      return false;
  }
}

/// Whether an operator of one kind, called by one of another, is part of how that is computed.
bool is_step_of(OperatorKind kind, OperatorKind caller) {
  return kind == caller || (is_convolution(kind) && is_convolution(caller));
}

class Sharing {
 public:
  Sharing(const std::vector<ProfiledEvent>& events, TimedDevice device)
      : events_(events), device_(device) {}

  std::vector<OperatorTime> run() {
    std::vector<std::size_t> order(events_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Of two that begin together, the longer one holds the other.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const ProfiledEvent &x = events_[a], &y = events_[b];
      if (x.thread != y.thread) return x.thread < y.thread;
      if (x.start_ns != y.start_ns) return x.start_ns < y.start_ns;
      return x.end_ns > y.end_ns;
    });
    for (const std::size_t index : order) {
      close_before(events_[index]);
      open(index);
    }
    while (!open_.empty()) close();
    return std::move(times_);
  }

 private:
  void close_before(const ProfiledEvent& next) {
    while (!open_.empty()) {
      const ProfiledEvent& last = events_[open_.back().event];
      if (last.thread == next.thread && last.end_ns > next.start_ns) return;
      close();
    }
  }

  void open(std::size_t index) {
    const ProfiledEvent& event = events_[index];
    OpenEvent next = open_.empty() ? OpenEvent{} : open_.back();
    next.event = index;
    next.within_ns = 0;
    if (const auto part = find_enum<device::StepPart>(event.name)) {
      next.part = kind_of(*part);
      next.copy.reset();
      next.owner.reset();
    } else if (is_copy(event.name)) {
      if (!next.copy) next.copy = index;
    } else if (const auto named = find_operator(event.name)) {
      const OperatorKind kind = kind_of_call(event, named->kind);
      const bool again = next.owner && events_[next.owner->event].name == event.name;
      if (again) within_[next.owner->event] = index;
      if (!next.owner || again || next.owner->chooses || !is_step_of(kind, next.owner->kind)) {
        next.owner = Owner{.event = index, .kind = kind, .chooses = named->chooses};
        next.copy.reset();
      }
    } else if (!next.owner && !next.copy && is_operator(event.name)) {
      next.owner = Owner{.event = index, .kind = OperatorKind::other};
    }
    open_.push_back(next);
  }

  void close() {
    const OpenEvent ended = open_.back();
    open_.pop_back();
    const ProfiledEvent& event = events_[ended.event];
    const std::int64_t took_ns = event.end_ns - event.start_ns;
    if (!open_.empty()) open_.back().within_ns += took_ns;
    const std::int64_t own_ns = device_ == TimedDevice::gpu
                                    ? event.device_ns
                                    : std::max<std::int64_t>(0, took_ns - ended.within_ns);
    add(ended, own_ns);
  }

  void add(const OpenEvent& ended, std::int64_t own_ns) {
    const ProfiledEvent& event = events_[ended.event];
    OperatorTime time{.row = ended.event, .kind = OperatorKind::host, .ns = own_ns};
    if (ended.part) {
      time.kind = *ended.part;
      time.is_call = is_operator(event.name);
    } else if (ended.copy) {
      time.row = *ended.copy;
      time.kind = OperatorKind::cast_copy;
    } else if (ended.owner) {
      time.row = ended.owner->event;
      time.kind = ended.owner->kind;
    }
    if (const auto inner = within_.find(time.row); inner != within_.end()) time.row = inner->second;
    if (!ended.part) time.is_call = time.row == ended.event && is_operator(event.name);
    if (time.kind == OperatorKind::convolution_backward && device_ == TimedDevice::gpu) {
      add_part(time, OperatorKind::convolution_data_gradient, event.data_gradient_ns);
      add_part(time, OperatorKind::convolution_weight_gradient, event.weight_gradient_ns);
    }
    times_.push_back(time);
  }

  /// Takes what a kernel is named for out of `time`.
  void add_part(OperatorTime& time, OperatorKind kind, std::int64_t ns) {
    if (ns == 0) return;
    times_.push_back({.row = time.row, .kind = kind, .ns = ns});
    time.ns -= ns;
  }

  const std::vector<ProfiledEvent>& events_;
  TimedDevice device_;
  std::vector<OpenEvent> open_;
  /// Operators that call themselves with other inputs, as autocast's do, and the inner calls.
  std::map<std::size_t, std::size_t> within_;
  std::vector<OperatorTime> times_;
};

}  // namespace

std::vector<OperatorTime> operator_times(const std::vector<ProfiledEvent>& events,
                                         TimedDevice device) {
  return Sharing(events, device).run();
}

}  // namespace mpbench::profile

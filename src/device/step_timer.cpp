#include "mpbench/device/step_timer.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>

#include "mpbench/core/error.hpp"

namespace mpbench::device {
namespace {

void mark(c10::Event& event, c10::Device device) {
  event.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
}

double seconds_between(const c10::Event& first, const c10::Event& last) {
  return 1e-3 * first.elapsedTime(last);
}

}  // namespace

StepTimer::Events StepTimer::unused_events() {
  if (unused_.empty()) {
    // The default flag makes events that tell no time.
    const auto event = [this] {
      return c10::Event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    };
    return {event(), event()};
  }
  Events events = std::move(unused_.back());
  unused_.pop_back();
  return events;
}

void StepTimer::begin() {
  if (device_.is_cpu()) {
    stopwatch_.restart();
    return;
  }
  if (!begun_) begun_.emplace(unused_events());
  mark(begun_->begin, device_);
}

void StepTimer::end() {
  if (device_.is_cpu()) {
    seconds_.push_back(stopwatch_.seconds());
    return;
  }
  mark(begun_->end, device_);
  ended_.push_back(std::move(*begun_));
  begun_.reset();
}

double StepTimer::next() {
  if (const auto seconds = next_if_finished()) return *seconds;
  if (ended_.empty()) throw Error("StepTimer: no step was ended");
  ended_.front().end.synchronize();
  return next_if_finished().value();
}

std::optional<double> StepTimer::next_if_finished() {
  if (device_.is_cpu()) {
    if (seconds_.empty()) return std::nullopt;
    const double seconds = seconds_.front();
    seconds_.pop_front();
    return seconds;
  }
  if (ended_.empty() || !ended_.front().end.query()) return std::nullopt;
  unused_.push_back(std::move(ended_.front()));
  ended_.pop_front();
  return seconds_between(unused_.back().begin, unused_.back().end);
}

}  // namespace mpbench::device

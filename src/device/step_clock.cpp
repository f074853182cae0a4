#include "mpbench/device/step_clock.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>

#include "mpbench/device/device.hpp"

namespace mpbench::device {
namespace {

c10::Event mark(c10::Device device) {
  // The default flag makes events that tell no time.
  c10::Event event(device.type(), c10::EventFlag::BACKEND_DEFAULT);
  event.record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
  return event;
}

}  // namespace

void StepClock::begin() {
  if (device_.is_cpu()) {
    stopwatch_.restart();
    return;
  }
  events_.emplace_back(mark(device_), c10::Event(device_.type()));
}

void StepClock::end() {
  if (device_.is_cpu()) {
    seconds_.push_back(stopwatch_.seconds());
    return;
  }
  events_.back().second = mark(device_);
}

std::vector<double> StepClock::collect() {
  synchronize(device_);
  for (const auto& [first, last] : events_) seconds_.push_back(1e-3 * first.elapsedTime(last));
  events_.clear();
  return std::exchange(seconds_, {});
}

}  // namespace mpbench::device

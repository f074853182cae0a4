#include "mpbench/device/step_clock.hpp"

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

StepClock::Piece StepClock::unused_piece() {
  if (told_.empty()) {
    // The default flag makes events that tell no time.
    const auto event = [this] {
      return c10::Event(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    };
    return {event(), event()};
  }
  Piece piece = std::move(told_.back());
  told_.pop_back();
  return piece;
}

void StepClock::begin() {
  if (device_.is_cpu()) {
    stopwatch_.restart();
    return;
  }
  if (!begun_) begun_.emplace(unused_piece());
  mark(begun_->first, device_);
}

void StepClock::end() {
  if (device_.is_cpu()) {
    seconds_.push_back(stopwatch_.seconds());
    return;
  }
  mark(begun_->last, device_);
  ended_.push_back(std::move(*begun_));
  begun_.reset();
}

double StepClock::next() {
  if (const auto seconds = next_if_finished()) return *seconds;
  if (ended_.empty()) throw Error("StepClock: no piece of work was ended");
  ended_.front().last.synchronize();
  return next_if_finished().value();
}

std::optional<double> StepClock::next_if_finished() {
  if (device_.is_cpu()) {
    if (seconds_.empty()) return std::nullopt;
    const double seconds = seconds_.front();
    seconds_.pop_front();
    return seconds;
  }
  if (ended_.empty() || !ended_.front().last.query()) return std::nullopt;
  told_.push_back(std::move(ended_.front()));
  ended_.pop_front();
  return seconds_between(told_.back().first, told_.back().last);
}

std::vector<double> StepClock::collect() {
  std::vector<double> all;
  if (!ended_.empty()) ended_.back().last.synchronize();
  while (const auto seconds = next_if_finished()) all.push_back(*seconds);
  return all;
}

}  // namespace mpbench::device

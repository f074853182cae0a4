#include "mpbench/bench/gpu_sampler.hpp"

#include <algorithm>
#include <chrono>

namespace mpbench::bench {
namespace {

using namespace std::chrono_literals;

// The clock rises within the first steps; after that it changes slowly.
constexpr auto before_first_sample = 200ms;
constexpr auto between_samples = 1s;

}  // namespace

void GpuUse::add(const GpuUse& part) {
  energy_j = energy_j && part.energy_j ? std::optional(*energy_j + *part.energy_j) : std::nullopt;
  for (const auto& [clock, times] : part.clocks_mhz) clocks_mhz[clock] += times;
  if (part.throttle_reasons) {
    throttle_reasons = throttle_reasons.value_or(0) | *part.throttle_reasons;
  }
  // An empty optional is below every value.
  highest_temperature_c = std::max(highest_temperature_c, part.highest_temperature_c);
}

std::optional<std::int64_t> GpuUse::median_clock_mhz() const {
  std::int64_t all = 0;
  for (const auto& [clock, times] : clocks_mhz) all += times;
  std::int64_t seen = 0;
  for (const auto& [clock, times] : clocks_mhz) {
    seen += times;
    if (2 * seen >= all) return clock;
  }
  return std::nullopt;
}

void GpuSampler::start() {
  end_thread();
  clocks_mhz_.clear();
  throttle_reasons_.reset();
  highest_temperature_c_.reset();
  if (!sensors_.available()) return;
  energy_at_start_j_ = sensors_.energy_j();
  thread_ = std::jthread([this](const std::stop_token& stop) { sample_until(stop); });
}

void GpuSampler::sample_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto pause = std::chrono::milliseconds(before_first_sample);
  while (!stopped_.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
    lock.unlock();
    sample();
    lock.lock();
    pause = between_samples;
  }
}

void GpuSampler::sample() {
  const auto clock = sensors_.sm_clock_mhz();
  const auto reasons = sensors_.throttle_reasons();
  const auto temperature = sensors_.temperature_c();
  const std::lock_guard lock(mutex_);
  if (clock) ++clocks_mhz_[*clock];
  if (reasons) throttle_reasons_ = throttle_reasons_.value_or(0) | *reasons;
  highest_temperature_c_ = std::max(highest_temperature_c_, temperature);
}

GpuUse GpuSampler::used() {
  GpuUse use;
  if (!sensors_.available()) return use;
  const auto energy = sensors_.energy_j();
  if (energy && energy_at_start_j_) use.energy_j = *energy - *energy_at_start_j_;
  const std::lock_guard lock(mutex_);
  use.clocks_mhz = clocks_mhz_;
  use.throttle_reasons = throttle_reasons_;
  use.highest_temperature_c = highest_temperature_c_;
  return use;
}

GpuUse GpuSampler::stop() {
  end_thread();
  if (sensors_.available() && clocks_mhz_.empty()) sample();
  return used();
}

void GpuSampler::end_thread() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = {};
}

}  // namespace mpbench::bench

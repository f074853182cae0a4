#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "mpbench/device/nvml.hpp"

namespace mpbench::bench {

/// What a GPU's sensors said of a part of a run. Empty: not measured.
struct GpuUse {
  std::optional<double> energy_j;
  std::map<int, std::int64_t> clocks_mhz;         ///< how often each clock was seen
  std::optional<std::uint64_t> throttle_reasons;  ///< all that were seen, as NVML's bits
  std::optional<int> highest_temperature_c;       ///< that was seen

  /// Adds a later part. Energy that is empty in one is empty in the sum.
  void add(const GpuUse& part);
  /// Empty where no clock was seen.
  std::optional<std::int64_t> median_clock_mhz() const;
};

/// Measures a GPU from start() to stop(): energy by the difference of the card's counter, clock,
/// temperature and reasons to throttle once a second, by a thread of its own, so that no step waits
/// for a reading.
/// Does nothing where the card has no sensors.
class GpuSampler {
 public:
  explicit GpuSampler(const device::GpuSensors& sensors) : sensors_(sensors) {}
  ~GpuSampler() { end_thread(); }
  GpuSampler(const GpuSampler&) = delete;
  GpuSampler& operator=(const GpuSampler&) = delete;

  void start();
  /// What was used since start(); measuring goes on.
  GpuUse used();
  /// The same, and ends the part. A part too short for the thread is sampled here, once.
  GpuUse stop();

 private:
  void sample_until(const std::stop_token& stop);
  void sample();
  void end_thread();

  device::GpuSensors sensors_;
  std::optional<double> energy_at_start_j_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any stopped_;
  std::map<int, std::int64_t> clocks_mhz_;
  std::optional<std::uint64_t> throttle_reasons_;
  std::optional<int> highest_temperature_c_;
  std::jthread thread_;
};

}  // namespace mpbench::bench

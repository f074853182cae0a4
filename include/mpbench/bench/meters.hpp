#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mpbench/bench/gpu_sampler.hpp"

namespace mpbench::bench {

/// The largest resident set this process has had, in bytes (VmHWM of /proc/self/status; proc(5));
/// empty where the kernel does not tell.
std::optional<std::int64_t> peak_rss_bytes();

/// Makes peak_rss_bytes count from now (writes 5 to /proc/self/clear_refs); false where that is not
/// allowed, and the peak then includes what came before.
bool reset_peak_rss();

/// User and system seconds of all threads of this process so far (getrusage(2)).
double cpu_time_s();

/// Energy of the processor packages and their memory through the kernel's powercap files (RAPL). It
/// counts the whole machine, not this process alone.
class EnergyCounter {
 public:
  /// Finds the package zones, and their DRAM where it is counted apart; finds none where they
  /// cannot be read (since CVE-2020-8694 most kernels let only root). `root` is another folder in
  /// tests.
  explicit EnergyCounter(const std::filesystem::path& root = "/sys/class/powercap");

  /// Whether any zone can be read.
  bool available() const { return !zones_.empty(); }
  /// Joules since construction or restart; empty when no zone can be read. The hardware counters
  /// wrap around after some 2^18 J (under an hour at 100 W): call it more often than that.
  std::optional<double> joules();
  /// Counts from now.
  void restart();

 private:
  struct Zone {
    std::filesystem::path file;
    std::uint64_t range = 0;  ///< largest value before it wraps, in microjoules
    std::uint64_t last = 0;
  };
  std::vector<Zone> zones_;
  double microjoules_ = 0;
};

/// What the measured parts of a run took together. Empty: not measured.
struct ResourceUse {
  std::optional<std::int64_t> peak_device_bytes{};
  std::optional<std::int64_t> peak_reserved_bytes{};
  std::optional<std::int64_t> peak_rss_bytes{};
  std::optional<double> cpu_time_s{};
  std::optional<double> energy_j{};  ///< of the processor packages
  GpuUse gpu{};

  /// Adds a later part: the larger of the peaks, the sums of the rest. What is empty in one is
  /// empty in the sum, as a part of a sum would pass for the whole.
  void add(const ResourceUse& part);
};

/// Measures parts of a run on a device and in this process, each from start() to stop().
class ResourceMeter {
 public:
  explicit ResourceMeter(c10::Device device,
                         const std::filesystem::path& powercap_root = "/sys/class/powercap");
  void start();
  /// Reads the processors' energy counters, which wrap: to be called at least once an hour. Costs
  /// microseconds, and asks no GPU.
  void follow_energy() { static_cast<void>(energy_.joules()); }
  /// What was used since start(); measuring goes on.
  ResourceUse used();
  /// The same, and ends the part.
  ResourceUse stop();
  bool running() const { return running_; }

 private:
  /// All but the GPU's own sensors.
  ResourceUse of_this_process();

  c10::Device device_;
  EnergyCounter energy_;
  GpuSampler gpu_;
  double cpu_start_s_ = 0;
  bool running_ = false;
};

}  // namespace mpbench::bench

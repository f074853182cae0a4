#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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

/// What a region of a run took.
struct ResourceUse {
  std::optional<std::int64_t> peak_rss_bytes;
  std::optional<double> cpu_time_s;
  std::optional<double> energy_j;
};

/// Measures from start() to stop(), in this process.
class ResourceMeter {
 public:
  explicit ResourceMeter(const std::filesystem::path& powercap_root = "/sys/class/powercap");
  void start();
  /// Reads the energy counters before they wrap; call it once an epoch or so. Costs microseconds.
  void sample();
  ResourceUse stop();

 private:
  EnergyCounter energy_;
  double cpu_start_s_ = 0;
};

}  // namespace mpbench::bench

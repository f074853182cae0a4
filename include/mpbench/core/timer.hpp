#pragma once

#include <chrono>
#include <string>

namespace mpbench {

/// Seconds on a steady clock since it was made or restarted.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// Seconds since the last start, and starts anew.
  double restart() {
    const auto now = std::chrono::steady_clock::now();
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return elapsed;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Wall-clock seconds since this process was started by the kernel, program loading included
/// (/proc/self/stat field 22 against CLOCK_BOOTTIME; proc(5)). Resolution: one clock tick, usually
/// 10 ms.
double seconds_since_process_start();

/// "1:02:03", "2:03" or "4 s".
std::string format_duration(double seconds);

}  // namespace mpbench

#pragma once

#include <sys/resource.h>

namespace mpbench::bench {

/// User and system seconds of a process (getrusage(2), wait4(2)).
inline double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace mpbench::bench

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

/// What the Linux kernel tells in files (proc(5); cpufreq and PSI in the kernel's documentation).
/// Empty: the file is not there, or holds something else. `proc` is /proc, or a test's own folder.
namespace mpbench::bench {

/// The number that a file of one number holds.
std::optional<std::uint64_t> read_number(const std::filesystem::path& file);

/// What processors did since the machine was started, in clock ticks, sysconf(_SC_CLK_TCK) a
/// second.
struct ProcessorTicks {
  double busy = 0;  ///< user, nice, system and interrupts; virtual machines that run here included
  double idle = 0;  ///< waiting for a disk included
  std::optional<double> stolen;  ///< the hypervisor ran something else (since Linux 2.6.11)

  double total() const { return busy + idle + stolen.value_or(0); }
  /// What was added since an earlier reading. The kernel's counters may fall back a little: 0 then.
  ProcessorTicks since(const ProcessorTicks& earlier) const;
};

struct ProcessorTimes {
  std::optional<ProcessorTicks> all;   ///< of all processors together
  std::map<int, ProcessorTicks> each;  ///< of those that are online, by their numbers
};

/// Of /proc/stat.
ProcessorTimes read_processor_times(const std::filesystem::path& proc);

/// What one process did since it began, in clock ticks of user and system time.
struct ProcessTicks {
  std::uint64_t started = 0;  ///< when: another process of the same id differs in it
  double own = 0;             ///< of all its threads
  double children = 0;        ///< of those that have ended and were waited for, and of theirs
};

/// Of /proc/PID/stat.
std::optional<ProcessTicks> read_process_ticks(const std::filesystem::path& proc, pid_t id);

/// Threads that ran or wanted to, and those that waited for a disk, averaged over about a minute
/// (/proc/loadavg).
std::optional<double> read_load_1min(const std::filesystem::path& proc);

/// Seconds since the machine was started in which some thread waited for a processor
/// (/proc/pressure/cpu, since Linux 4.20 where it is switched on).
std::optional<double> read_cpu_pressure_s(const std::filesystem::path& proc);

/// The present frequency of a processor by its driver (cpufreq's scaling_cur_freq), in MHz.
/// `processors` is /sys/devices/system/cpu.
std::optional<double> read_scaling_mhz(const std::filesystem::path& processors, int number);

/// "cpu MHz" of /proc/cpuinfo, by the processors' numbers; x86 alone has it.
std::map<int, double> read_cpuinfo_mhz(const std::filesystem::path& proc);

}  // namespace mpbench::bench

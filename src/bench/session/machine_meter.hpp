#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "../kernel_files.hpp"
#include "mpbench/bench/gpu_sampler.hpp"
#include "mpbench/bench/meters.hpp"
#include "mpbench/bench/session_record.hpp"
#include "mpbench/core/timer.hpp"

namespace mpbench::bench {

/// What the machine did in a part of a session, whoever made it. Empty: not measured.
struct MachineUse {
  double seconds = 0;
  std::optional<double> steal_fraction;         ///< of all processors' time, by the hypervisor
  std::optional<double> other_cpu_fraction;     ///< of all processors' time, by other programs
  std::optional<double> load_1min;              ///< at the end
  std::optional<double> cpu_pressure_fraction;  ///< of the time in which a thread had to wait
  std::optional<double> frequency_mhz;          ///< median over the processors that were busy
  std::optional<double> energy_j;               ///< of the processor packages
  GpuUse gpu;

  /// Adds a later part: means weighted by the seconds, sums, the later load. What is empty in one
  /// is empty then.
  void add(const MachineUse& part);
};

/// Fills the columns of a session that are the machine's.
void fill_machine(SessionRecord& record, const MachineUse& use);

/// Where the kernel tells what the machine does; other folders in tests.
struct MachineFiles {
  std::filesystem::path proc = "/proc";
  std::filesystem::path processors = "/sys/devices/system/cpu";
  std::filesystem::path powercap = "/sys/class/powercap";
};

/// Measures the machine from start() to stop(): by what the kernel counts, and by a look a second
/// of a thread of its own.
class MachineMeter {
 public:
  explicit MachineMeter(const device::GpuSensors& gpu, MachineFiles files = {});
  ~MachineMeter() { end_thread(); }
  MachineMeter(const MachineMeter&) = delete;
  MachineMeter& operator=(const MachineMeter&) = delete;

  /// `processes` are those of the comparison, besides this one: what they and their children use is
  /// not other programs'. One that has ended counts up to the last look. Without any it is not
  /// known what other programs use.
  void start(const std::vector<pid_t>& processes);
  /// What was used since start().
  MachineUse stop();

 private:
  /// A process of the comparison.
  struct Watched {
    pid_t id = 0;
    bool with_children = true;
    std::uint64_t started = 0;
    double first = 0;  ///< ticks
    double last = 0;
  };
  void watch(pid_t id, bool with_children);
  void look_until(const std::stop_token& stop);
  void look();
  void look_at_processes();
  void look_at_frequency(const ProcessorTimes& now);
  std::optional<double> median_frequency(const std::vector<int>& numbers) const;
  void fill_shares(MachineUse& use) const;
  void end_thread();

  MachineFiles files_;
  EnergyCounter energy_;
  GpuSampler gpu_;
  Stopwatch clock_;
  ProcessorTimes first_;
  std::optional<double> pressure_at_start_s_;
  bool processes_known_ = false;
  std::mutex mutex_;  // of what follows and of energy_
  std::condition_variable_any stopped_;
  std::vector<Watched> watched_;
  ProcessorTimes last_;
  std::vector<double> frequencies_mhz_;  ///< one a look
  std::jthread thread_;
};

}  // namespace mpbench::bench

#include "machine_meter.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "mpbench/device/nvml.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::bench {
namespace {

using namespace std::chrono_literals;

/// The first look comes soon, so that a short part has one.
constexpr auto before_first_look = 200ms;
constexpr auto between_looks_at_machine = 1s;
/// A processor that was busy for so much of the time between two looks has a frequency to tell: of
/// an idle one it says nothing of the work.
constexpr double busy_share = 0.5;
/// A clock tick is 10 ms, and a GPU refreshes its counter of energy some ten times a second: a
/// share or the energy of less would be rough.
constexpr double shortest_part_s = 1;

std::optional<double> weighted_mean(std::optional<double> a, double a_weight,
                                    std::optional<double> b, double b_weight) {
  if (!a || !b) return std::nullopt;
  return (*a * a_weight + *b * b_weight) / (a_weight + b_weight);
}

double ticks_per_second() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

double sum_of(const ProcessTicks& ticks, bool with_children) {
  return ticks.own + (with_children ? ticks.children : 0);
}

}  // namespace

void MachineUse::add(const MachineUse& part) {
  if (seconds == 0) {
    *this = part;
    return;
  }
  const auto combine = [&](std::optional<double> MachineUse::*figure) {
    this->*figure = weighted_mean(this->*figure, seconds, part.*figure, part.seconds);
  };
  combine(&MachineUse::steal_fraction);
  combine(&MachineUse::other_cpu_fraction);
  combine(&MachineUse::cpu_pressure_fraction);
  combine(&MachineUse::frequency_mhz);
  load_1min = part.load_1min;
  energy_j = energy_j && part.energy_j ? std::optional(*energy_j + *part.energy_j) : std::nullopt;
  gpu.add(part.gpu);
  seconds += part.seconds;
}

void fill_machine(SessionRecord& record, const MachineUse& use) {
  record.steal_fraction = use.steal_fraction;
  record.other_cpu_fraction = use.other_cpu_fraction;
  record.load_1min = use.load_1min;
  record.cpu_pressure_fraction = use.cpu_pressure_fraction;
  record.frequency_mhz = use.frequency_mhz;
  record.energy_j = use.energy_j;
  record.device_energy_j = use.gpu.energy_j;
  record.device_clock_mhz = use.gpu.median_clock_mhz();
  if (use.gpu.throttle_reasons) {
    record.device_throttled = device::throttle_words(*use.gpu.throttle_reasons);
  }
  record.device_temperature_c = use.gpu.highest_temperature_c;
}

MachineMeter::MachineMeter(const device::GpuSensors& gpu, MachineFiles files)
    : files_(std::move(files)), energy_(files_.powercap), gpu_(gpu) {}

void MachineMeter::start(const std::vector<pid_t>& processes) {
  end_thread();
  frequencies_mhz_.clear();
  watched_.clear();
  processes_known_ = !processes.empty();
  for (const pid_t id : processes) watch(id, true);
  // Its children are the processes of the comparison. What one of them ever used would come in when
  // it ends.
  watch(getpid(), false);
  energy_.restart();
  gpu_.start();
  pressure_at_start_s_ = read_cpu_pressure_s(files_.proc);
  first_ = read_processor_times(files_.proc);
  last_ = first_;
  clock_.restart();
  thread_ = std::jthread([this](const std::stop_token& stop) { look_until(stop); });
}

MachineUse MachineMeter::stop() {
  end_thread();
  look();
  MachineUse use{.seconds = clock_.seconds(), .load_1min = read_load_1min(files_.proc)};
  fill_shares(use);
  const auto pressure = read_cpu_pressure_s(files_.proc);
  if (pressure && pressure >= pressure_at_start_s_ && pressure_at_start_s_ &&
      use.seconds >= shortest_part_s) {
    use.cpu_pressure_fraction = std::min(1.0, (*pressure - *pressure_at_start_s_) / use.seconds);
  }
  if (!frequencies_mhz_.empty()) use.frequency_mhz = stats::median(frequencies_mhz_);
  use.energy_j = energy_.joules();
  use.gpu = gpu_.stop();
  if (use.seconds < shortest_part_s) use.gpu.energy_j.reset();
  return use;
}

void MachineMeter::fill_shares(MachineUse& use) const {
  if (!first_.all || !last_.all) return;
  const ProcessorTicks ticks = last_.all->since(*first_.all);
  if (ticks.total() < shortest_part_s * ticks_per_second()) return;
  if (ticks.stolen) use.steal_fraction = *ticks.stolen / ticks.total();
  if (!processes_known_) return;
  double others = ticks.busy;
  for (const Watched& process : watched_) others -= process.last - process.first;
  // The kernel may count the processors' time by samples and that of processes exactly.
  use.other_cpu_fraction = std::max(0.0, others / ticks.total());
}

void MachineMeter::watch(pid_t id, bool with_children) {
  const auto ticks = read_process_ticks(files_.proc, id);
  if (!ticks) return;
  const double now = sum_of(*ticks, with_children);
  watched_.push_back({.id = id,
                      .with_children = with_children,
                      .started = ticks->started,
                      .first = now,
                      .last = now});
}

void MachineMeter::look_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto pause = std::chrono::milliseconds(before_first_look);
  while (!stopped_.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
    look();
    pause = between_looks_at_machine;
  }
}

void MachineMeter::look() {
  ProcessorTimes now = read_processor_times(files_.proc);
  look_at_processes();
  look_at_frequency(now);
  last_ = std::move(now);
  static_cast<void>(energy_.joules());  // its counters wrap
}

void MachineMeter::look_at_processes() {
  for (Watched& process : watched_) {
    const auto ticks = read_process_ticks(files_.proc, process.id);
    if (!ticks || ticks->started != process.started) continue;  // it has ended
    process.last = std::max(process.last, sum_of(*ticks, process.with_children));
  }
}

void MachineMeter::look_at_frequency(const ProcessorTimes& now) {
  std::vector<int> busy;
  for (const auto& [number, ticks] : now.each) {
    const auto before = last_.each.find(number);
    if (before == last_.each.end()) continue;
    const ProcessorTicks added = ticks.since(before->second);
    if (added.total() > 0 && added.busy >= busy_share * added.total()) busy.push_back(number);
  }
  if (const auto median = median_frequency(busy)) frequencies_mhz_.push_back(*median);
}

std::optional<double> MachineMeter::median_frequency(const std::vector<int>& numbers) const {
  std::vector<double> frequencies;
  for (const int number : numbers) {
    if (const auto mhz = read_scaling_mhz(files_.processors, number)) frequencies.push_back(*mhz);
  }
  if (frequencies.empty() && !numbers.empty()) {
    const std::map<int, double> all = read_cpuinfo_mhz(files_.proc);
    for (const int number : numbers) {
      if (const auto found = all.find(number); found != all.end()) {
        frequencies.push_back(found->second);
      }
    }
  }
  if (frequencies.empty()) return std::nullopt;
  return stats::median(frequencies);
}

void MachineMeter::end_thread() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  thread_ = {};
}

}  // namespace mpbench::bench

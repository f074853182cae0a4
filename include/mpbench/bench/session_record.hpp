#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mpbench/bench/run_record.hpp"
#include "mpbench/core/enum_names.hpp"

namespace mpbench::bench {

/// What a session's processes are for.
enum class SessionKind {
  training,    ///< blocks are part of a training that goes on to its end, with validation
  speed_only,  ///< blocks alone
};

}  // namespace mpbench::bench

template <>
inline constexpr auto mpbench::enum_names<mpbench::bench::SessionKind> =
    std::to_array<mpbench::EnumName<mpbench::bench::SessionKind>>(
        {{mpbench::bench::SessionKind::training, "training"},
         {mpbench::bench::SessionKind::speed_only, "speed_only"}});

namespace mpbench::bench {

/// One row of sessions.csv: a session of one configuration that left blocks, and what the machine
/// did while they were trained, whoever made it do so. An empty optional is an empty cell: not
/// measured, never 0.
struct SessionRecord {
  std::string configuration{};
  std::int64_t session = 0;  ///< from 1
  std::string started_at{};  ///< UTC, ISO 8601: "2026-01-31T12:34:56Z"
  SessionKind kind = SessionKind::speed_only;
  bool together = true;        ///< the processes took turns block by block; else one after another
  std::int64_t processes = 0;  ///< that were started
  std::int64_t rounds = 0;     ///< that count
  double start_s = 0;          ///< until all processes were warm
  double blocks_s = 0;         ///< from there to the end of the last round
  double seconds = 0;          ///< of all of the session
  // From the end of the starts to the end of the last round.
  std::optional<double> steal_fraction{};          ///< of all processors' time, by the hypervisor
  std::optional<double> other_cpu_fraction{};      ///< of all processors' time, by other programs
  std::optional<double> load_1min{};               ///< /proc/loadavg, after the last round
  std::optional<double> cpu_pressure_fraction{};   ///< of the time: a thread waited for a processor
  std::optional<double> frequency_mhz{};           ///< median of the processors that were busy
  std::optional<double> energy_j{};                ///< of the processor packages
  std::optional<double> device_energy_j{};         ///< of the GPU
  std::optional<std::int64_t> device_clock_mhz{};  ///< median of the GPU's multiprocessors
  std::string device_throttled{};                  ///< device::throttle_words()
  std::optional<std::int64_t> device_temperature_c{};  ///< highest of the GPU
};

/// Calls visit("column", member) for every column in the file's order.
template <RecordOf<SessionRecord> Record, class Visitor>
void visit_columns(Record& r, Visitor&& visit) {
  visit("configuration", r.configuration);
  visit("session", r.session);
  visit("started_at", r.started_at);
  visit("kind", r.kind);
  visit("together", r.together);
  visit("processes", r.processes);
  visit("rounds", r.rounds);
  visit("start_s", r.start_s);
  visit("blocks_s", r.blocks_s);
  visit("seconds", r.seconds);
  visit("steal_fraction", r.steal_fraction);
  visit("other_cpu_fraction", r.other_cpu_fraction);
  visit("load_1min", r.load_1min);
  visit("cpu_pressure_fraction", r.cpu_pressure_fraction);
  visit("frequency_mhz", r.frequency_mhz);
  visit("energy_j", r.energy_j);
  visit("device_energy_j", r.device_energy_j);
  visit("device_clock_mhz", r.device_clock_mhz);
  visit("device_throttled", r.device_throttled);
  visit("device_temperature_c", r.device_temperature_c);
}

}  // namespace mpbench::bench

#include "machine_notes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "mpbench/device/nvml.hpp"
#include "mpbench/stats/statistics.hpp"

namespace mpbench::bench {
namespace {

// Above these shares a remark is due.
constexpr double notable_other_cpu = 0.05;
constexpr double notable_steal = 0.02;
constexpr double notable_frequency_range = 0.05;
/// Involuntary switches a second of processor time. The threads of a process take the processor
/// from one another as well: measured on two processors, 5 to 154 times where nothing else wanted
/// them, up to 226 where other programs used 13 %, and 590 to 1380 where they wanted all.
constexpr double notable_preemptions = 300;
/// Of less processor time in a session they are too few to be a rate.
constexpr double shortest_cpu_time_s = 1;

/// The sessions' values of a figure, those that have one.
std::vector<double> known_values(std::span<const SessionRecord> sessions,
                                 std::optional<double> SessionRecord::*figure) {
  std::vector<double> values;
  for (const SessionRecord& session : sessions) {
    if (session.*figure) values.push_back(*(session.*figure));
  }
  return values;
}

/// The median of a share; 0 where no session has it.
double median_share(std::span<const SessionRecord> sessions,
                    std::optional<double> SessionRecord::*figure) {
  const std::vector<double> values = known_values(sessions, figure);
  return values.empty() ? 0 : stats::median(values);
}

/// The range of the frequencies over their median; 0 where fewer than two are known.
double frequency_range(std::span<const SessionRecord> sessions) {
  const std::vector<double> values = known_values(sessions, &SessionRecord::frequency_mhz);
  if (values.size() < 2) return 0;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return (*high - *low) / stats::median(values);
}

/// What slowed the GPU down in one session.
std::vector<std::string> throttle_reasons(const SessionRecord& session) {
  constexpr std::string_view separator = ", ";
  static const std::string not_throttled = device::throttle_words(0);
  std::vector<std::string> reasons;
  const std::string& text = session.device_throttled;
  if (text == not_throttled) return reasons;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    reasons.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  return reasons;
}

/// Empty where the GPU was not throttled, or that is not known.
std::string throttle_note(std::span<const SessionRecord> sessions) {
  std::set<std::string> reasons;
  std::size_t throttled = 0;
  for (const SessionRecord& session : sessions) {
    const std::vector<std::string> own = throttle_reasons(session);
    reasons.insert(own.begin(), own.end());
    if (!own.empty()) ++throttled;
  }
  if (throttled == 0) return "";
  const std::string where = throttled == sessions.size()
                                ? ""
                                : fmt::format(" in {} of {} sessions", throttled, sessions.size());
  return fmt::format("the GPU was throttled ({}){}", fmt::join(reasons, ", "), where);
}

/// The median over the sessions of the involuntary switches a second of processor time; 0 without
/// any.
double preemption_rate(std::span<const BlockRecord> blocks) {
  struct Sums {
    double preemptions = 0;
    double cpu_time_s = 0;
  };
  std::map<std::int64_t, Sums> sessions;
  for (const BlockRecord& block : blocks) {
    if (block.round == 0) continue;  // warm-up
    sessions[block.session].preemptions += static_cast<double>(block.preemptions);
    sessions[block.session].cpu_time_s += block.cpu_time_s;
  }
  std::vector<double> rates;
  for (const auto& [session, sums] : sessions) {
    if (sums.cpu_time_s >= shortest_cpu_time_s) rates.push_back(sums.preemptions / sums.cpu_time_s);
  }
  return rates.empty() ? 0 : stats::median(rates);
}

}  // namespace

std::vector<std::string> machine_notes(std::span<const SessionRecord> sessions,
                                       std::span<const BlockRecord> blocks) {
  std::vector<std::string> notes;
  const double others = median_share(sessions, &SessionRecord::other_cpu_fraction);
  if (others > notable_other_cpu) {
    notes.push_back(fmt::format(
        "other programs used {:.0f} % of the processors (median over sessions)", 100 * others));
  }
  const double stolen = median_share(sessions, &SessionRecord::steal_fraction);
  if (stolen > notable_steal) {
    notes.push_back(
        fmt::format("the hypervisor took {:.0f} % of the processors' time", 100 * stolen));
  }
  const double preemptions = preemption_rate(blocks);
  // It says less than the shares do: only where these cannot be read, or do not show it.
  if (notes.empty() && preemptions > notable_preemptions) {
    notes.push_back(fmt::format("processes were preempted {:.0f} times a second of processor time",
                                preemptions));
  }
  const double range = frequency_range(sessions);
  if (range > notable_frequency_range) {
    notes.push_back(
        fmt::format("the processors' frequency varied by {:.0f} % between sessions", 100 * range));
  }
  const std::string throttled = throttle_note(sessions);
  if (!throttled.empty()) notes.push_back(throttled);
  return notes;
}

}  // namespace mpbench::bench

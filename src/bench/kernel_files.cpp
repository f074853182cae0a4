#include "kernel_files.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mpbench::bench {
namespace {

namespace fs = std::filesystem;

constexpr double megahertz_of_kilohertz = 1e-3;
constexpr double seconds_of_microseconds = 1e-6;

/// The whole text as a number that is no less than 0.
template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_signed_v<Number>) {
    if (value < 0) return std::nullopt;
  }
  if constexpr (std::is_floating_point_v<Number>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blank = " \t\r";
  std::vector<std::string_view> words;
  for (std::size_t begin = line.find_first_not_of(blank); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(blank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(blank, end);
  }
  return words;
}

/// The numbers of a line of /proc/stat: user nice system idle iowait irq softirq steal guest
/// guest_nice. The two last are part of user and nice; the older a kernel, the fewer there are.
std::optional<ProcessorTicks> ticks_of(const std::vector<std::string_view>& words) {
  constexpr std::size_t fewest = 4;
  constexpr std::size_t with_steal = 8;
  std::vector<double> ticks;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto number = number_of<std::uint64_t>(words[i]);
    if (!number) return std::nullopt;
    ticks.push_back(static_cast<double>(*number));
  }
  if (ticks.size() < fewest) return std::nullopt;
  ProcessorTicks sums{.busy = ticks[0] + ticks[1] + ticks[2], .idle = ticks[3], .stolen = {}};
  if (ticks.size() >= with_steal) {
    sums.idle += ticks[4];
    sums.busy += ticks[5] + ticks[6];
    sums.stolen = ticks[7];
  }
  return sums;
}

}  // namespace

std::optional<std::uint64_t> read_number(const fs::path& file) {
  std::ifstream stream(file);
  std::string text;
  if (!(stream >> text)) return std::nullopt;
  return number_of<std::uint64_t>(text);
}

ProcessorTicks ProcessorTicks::since(const ProcessorTicks& earlier) const {
  ProcessorTicks added{.busy = std::max(0.0, busy - earlier.busy),
                       .idle = std::max(0.0, idle - earlier.idle),
                       .stolen = {}};
  if (stolen && earlier.stolen) added.stolen = std::max(0.0, *stolen - *earlier.stolen);
  return added;
}

ProcessorTimes read_processor_times(const fs::path& proc) {
  constexpr std::string_view prefix = "cpu";
  ProcessorTimes times;
  std::ifstream file(proc / "stat");
  // The processors come first; what follows, interrupts by their numbers, is long.
  for (std::string line; std::getline(file, line) && line.starts_with(prefix);) {
    const std::vector<std::string_view> words = words_of(line);
    const auto ticks = ticks_of(words);
    if (!ticks) continue;
    const std::string_view number = words.front().substr(prefix.size());
    if (number.empty()) {
      times.all = ticks;
    } else if (const auto which = number_of<int>(number)) {
      times.each[*which] = *ticks;
    }
  }
  return times;
}

std::optional<ProcessTicks> read_process_ticks(const fs::path& proc, pid_t id) {
  std::ifstream file(proc / std::to_string(id) / "stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is the program's name in parentheses, and may hold any character.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<std::string_view> words = words_of(std::string_view(line).substr(name_end + 1));
  constexpr std::size_t first = 3;  // the number in proc(5) of the first field after the name
  const auto field = [&](std::size_t number) {
    return number - first < words.size() ? number_of<std::uint64_t>(words[number - first])
                                         : std::nullopt;
  };
  const auto user = field(14);
  const auto system = field(15);
  const auto children_user = field(16);
  const auto children_system = field(17);
  const auto started = field(22);
  if (!user || !system || !children_user || !children_system || !started) return std::nullopt;
  return ProcessTicks{
      .started = *started,
      .own = static_cast<double>(*user) + static_cast<double>(*system),
      .children = static_cast<double>(*children_user) + static_cast<double>(*children_system)};
}

std::optional<double> read_load_1min(const fs::path& proc) {
  std::ifstream file(proc / "loadavg");
  std::string first;
  if (!(file >> first)) return std::nullopt;
  return number_of<double>(first);
}

std::optional<double> read_cpu_pressure_s(const fs::path& proc) {
  constexpr std::string_view key = "total=";
  std::ifstream file(proc / "pressure" / "cpu");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("some ")) continue;
    for (const std::string_view word : words_of(line)) {
      if (!word.starts_with(key)) continue;
      const auto microseconds = number_of<std::uint64_t>(word.substr(key.size()));
      if (!microseconds) return std::nullopt;
      return seconds_of_microseconds * static_cast<double>(*microseconds);
    }
  }
  return std::nullopt;
}

std::optional<double> read_scaling_mhz(const fs::path& processors, int number) {
  const fs::path folder = processors / ("cpu" + std::to_string(number));
  const auto kilohertz = read_number(folder / "cpufreq" / "scaling_cur_freq");
  if (!kilohertz || *kilohertz == 0) return std::nullopt;
  return megahertz_of_kilohertz * static_cast<double>(*kilohertz);
}

std::map<int, double> read_cpuinfo_mhz(const fs::path& proc) {
  std::map<int, double> frequencies;
  std::optional<int> number;
  std::ifstream file(proc / "cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const bool begins = line.starts_with("processor");
    if (!begins && !line.starts_with("cpu MHz")) continue;
    const std::vector<std::string_view> words = words_of(line);
    if (begins) {
      number = number_of<int>(words.back());
    } else if (const auto megahertz = number_of<double>(words.back()); number && megahertz) {
      if (*megahertz > 0) frequencies[*number] = *megahertz;
    }
  }
  return frequencies;
}

}  // namespace mpbench::bench

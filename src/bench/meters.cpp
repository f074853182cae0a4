#include "mpbench/bench/meters.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <string_view>

#include "cpu_seconds.hpp"
#include "kernel_files.hpp"
#include "mpbench/device/device.hpp"

namespace mpbench::bench {
namespace {

/// Zones whose sum is the processors' and memory's energy: core and uncore are parts of a package,
/// psys contains it, and intel-rapl-mmio is the same package by another way.
bool is_counted(const std::filesystem::path& zone) {
  if (!zone.filename().string().starts_with("intel-rapl:")) return false;
  std::ifstream file(zone / "name");
  std::string name;
  return std::getline(file, name) && (name.starts_with("package") || name == "dram");
}

}  // namespace

std::optional<std::int64_t> peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  constexpr std::string_view key = "VmHWM:";
  while (std::getline(status, line)) {
    if (!line.starts_with(key)) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    std::int64_t kibibytes = 0;
    if (digit == std::string::npos) return std::nullopt;
    std::from_chars(line.data() + digit, line.data() + line.size(), kibibytes);
    return kibibytes * 1024;
  }
  return std::nullopt;
}

bool reset_peak_rss() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

double cpu_time_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return cpu_seconds(usage);
}

EnergyCounter::EnergyCounter(const std::filesystem::path& root) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    if (!is_counted(entry.path())) continue;
    const auto range = read_number(entry.path() / "max_energy_range_uj");
    const auto now = read_number(entry.path() / "energy_uj");
    // A sum that lacks one of the packages would pass for the whole: all of them or none.
    if (!range || !now) {
      zones_.clear();
      return;
    }
    zones_.push_back({.file = entry.path() / "energy_uj", .range = *range, .last = *now});
  }
}

std::optional<double> EnergyCounter::joules() {
  for (Zone& zone : zones_) {
    const auto now = read_number(zone.file);
    if (!now) {
      zones_.clear();
      break;
    }
    const std::uint64_t used =
        *now >= zone.last ? *now - zone.last : zone.range - zone.last + *now + 1;
    microjoules_ += static_cast<double>(used);
    zone.last = *now;
  }
  if (zones_.empty()) return std::nullopt;
  return microjoules_ * 1e-6;
}

void EnergyCounter::restart() {
  joules();
  microjoules_ = 0;
}

void ResourceUse::add(const ResourceUse& part) {
  const auto combine = [](auto& mine, const auto& other, auto&& how) {
    if (!mine || !other) {
      mine.reset();
    } else {
      mine = how(*mine, *other);
    }
  };
  const auto larger = [](auto a, auto b) { return std::max(a, b); };
  combine(peak_device_bytes, part.peak_device_bytes, larger);
  combine(peak_reserved_bytes, part.peak_reserved_bytes, larger);
  combine(peak_rss_bytes, part.peak_rss_bytes, larger);
  combine(cpu_time_s, part.cpu_time_s, std::plus<>());
  combine(energy_j, part.energy_j, std::plus<>());
  gpu.add(part.gpu);
}

ResourceMeter::ResourceMeter(c10::Device device, const std::filesystem::path& powercap_root)
    : device_(device), energy_(powercap_root), gpu_(device::GpuSensors(device)) {}

void ResourceMeter::start() {
  reset_peak_rss();
  device::reset_peak_memory(device_);
  energy_.restart();
  gpu_.start();
  cpu_start_s_ = bench::cpu_time_s();
  running_ = true;
}

ResourceUse ResourceMeter::used() {
  ResourceUse use = of_this_process();
  use.gpu = gpu_.used();
  return use;
}

ResourceUse ResourceMeter::of_this_process() {
  ResourceUse use{.peak_rss_bytes = bench::peak_rss_bytes(),
                  .cpu_time_s = bench::cpu_time_s() - cpu_start_s_,
                  .energy_j = energy_.joules()};
  if (const auto peak = device::peak_memory(device_)) {
    use.peak_device_bytes = peak->allocated_bytes;
    use.peak_reserved_bytes = peak->reserved_bytes;
  }
  return use;
}

ResourceUse ResourceMeter::stop() {
  running_ = false;
  ResourceUse use = of_this_process();
  use.gpu = gpu_.stop();
  return use;
}

}  // namespace mpbench::bench

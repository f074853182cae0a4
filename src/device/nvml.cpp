#include "mpbench/device/nvml.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <array>
#include <string_view>
#include <vector>

#include "cuda_library.hpp"
#include "mpbench/device/device.hpp"

namespace mpbench::device {
namespace {

// Of nvml.h, which is not in every toolkit.
constexpr int success = 0;
constexpr int clock_of_multiprocessors = 1;
constexpr int temperature_of_chip = 0;
constexpr unsigned version_length = 80;

struct ThrottleReason {
  std::uint64_t bits;
  std::string_view word;
};
constexpr std::array throttle_reason_words{
    ThrottleReason{0x04 | 0x80, "power"},    // SwPowerCap, HwPowerBrakeSlowdown
    ThrottleReason{0x20 | 0x40, "thermal"},  // SwThermalSlowdown, HwThermalSlowdown
    ThrottleReason{0x08, "hardware"}};       // HwSlowdown: of either kind, or too fast a rise

}  // namespace

template <class Function>
void Nvml::find(Function& function, const char* name) {
  if (function == nullptr) function = reinterpret_cast<Function>(dlsym(library_, name));
}

Nvml::Nvml(const std::string& path) {
  library_ = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library_ == nullptr) {
    spdlog::debug("no energy and clocks of a GPU: {}", dlerror());
    return;
  }
  int (*initialise)() = nullptr;
  find(initialise, "nvmlInit_v2");
  if (const int error = initialise == nullptr ? -1 : initialise(); error != success) {
    spdlog::debug("no energy and clocks of a GPU: {} answers {}", path, error);
    library_ = nullptr;
    return;
  }
  find(driver_version_, "nvmlSystemGetDriverVersion");
  find(handle_by_bus_id_, "nvmlDeviceGetHandleByPciBusId_v2");
  find(total_energy_, "nvmlDeviceGetTotalEnergyConsumption");
  find(clock_, "nvmlDeviceGetClockInfo");
  find(throttle_reasons_, "nvmlDeviceGetCurrentClocksEventReasons");
  find(throttle_reasons_, "nvmlDeviceGetCurrentClocksThrottleReasons");  // before driver 535
  find(temperature_, "nvmlDeviceGetTemperature");
}

const Nvml& Nvml::library() {
  static const Nvml once;
  return once;
}

std::string Nvml::driver_version() const {
  std::array<char, version_length> version{};
  if (driver_version_ == nullptr || driver_version_(version.data(), version_length) != success) {
    return "";
  }
  return version.data();
}

GpuSensors::GpuSensors(c10::Device device) {
  if (device.is_cuda()) *this = GpuSensors(Nvml::library(), describe(device).pci_bus_id);
}

GpuSensors::GpuSensors(const Nvml& nvml, const std::string& pci_bus_id) : nvml_(&nvml) {
  if (nvml.handle_by_bus_id_ == nullptr) return;
  if (const int error = nvml.handle_by_bus_id_(pci_bus_id.c_str(), &handle_); error != success) {
    spdlog::debug("no energy and clocks of the GPU at {}: NVML answers {}", pci_bus_id, error);
    handle_ = nullptr;
  }
}

GpuSensors GpuSensors::by_driver(c10::Device device) {
  const std::string place = device.is_cuda() ? driver_pci_bus_id(device.index()) : "";
  return place.empty() ? GpuSensors(c10::Device(c10::DeviceType::CPU))
                       : GpuSensors(Nvml::library(), place);
}

std::optional<double> GpuSensors::energy_j() const {
  unsigned long long millijoules = 0;
  if (!available() || nvml_->total_energy_ == nullptr ||
      nvml_->total_energy_(handle_, &millijoules) != success) {
    return std::nullopt;
  }
  return 1e-3 * static_cast<double>(millijoules);
}

std::optional<int> GpuSensors::sm_clock_mhz() const {
  unsigned megahertz = 0;
  if (!available() || nvml_->clock_ == nullptr ||
      nvml_->clock_(handle_, clock_of_multiprocessors, &megahertz) != success) {
    return std::nullopt;
  }
  return static_cast<int>(megahertz);
}

std::optional<std::uint64_t> GpuSensors::throttle_reasons() const {
  unsigned long long reasons = 0;
  if (!available() || nvml_->throttle_reasons_ == nullptr ||
      nvml_->throttle_reasons_(handle_, &reasons) != success) {
    return std::nullopt;
  }
  return reasons;
}

std::optional<int> GpuSensors::temperature_c() const {
  unsigned celsius = 0;
  if (!available() || nvml_->temperature_ == nullptr ||
      nvml_->temperature_(handle_, temperature_of_chip, &celsius) != success) {
    return std::nullopt;
  }
  return static_cast<int>(celsius);
}

std::string throttle_words(std::uint64_t reasons) {
  std::vector<std::string_view> words;
  for (const auto& [bits, word] : throttle_reason_words) {
    if ((reasons & bits) != 0) words.push_back(word);
  }
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace mpbench::device

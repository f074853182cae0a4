#include "mpbench/device/gpu_meter.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>
#include <vector>

#include "mpbench/device/device.hpp"

namespace mpbench::device {

namespace {

// From nvml.h, whose functions are C and keep their signatures; declared here, as the header comes
// with the CUDA toolkit and the library with the driver.
using NvmlDevice = void*;
constexpr int nvml_success = 0;
constexpr int nvml_clock_sm = 1;

}  // namespace

/// The library, initialised. A function that it lacks is null.
struct GpuMeter::Library {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*device_by_pci_address)(const char*, NvmlDevice*) = nullptr;
  int (*total_energy_mj)(NvmlDevice, unsigned long long*) = nullptr;
  int (*clock_mhz)(NvmlDevice, int, unsigned*) = nullptr;
  int (*clock_limits)(NvmlDevice, unsigned long long*) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;

  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (initialised && shutdown != nullptr) shutdown();
    if (handle != nullptr) dlclose(handle);
  }

  template <class Function>
  void find(Function& function, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (function == nullptr) function = reinterpret_cast<Function>(dlsym(handle, name));
    }
  }

  void* handle = nullptr;
  bool initialised = false;
};

namespace {

std::shared_ptr<const GpuMeter::Library> open_library() {
  auto library = std::make_shared<GpuMeter::Library>();
  library->handle = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library->handle == nullptr) {
    spdlog::debug("no energy and clocks of the GPU: {}", dlerror());
    return nullptr;
  }
  library->find(library->init, {"nvmlInit_v2"});
  library->find(library->shutdown, {"nvmlShutdown"});
  library->find(library->device_by_pci_address, {"nvmlDeviceGetHandleByPciBusId_v2"});
  library->find(library->total_energy_mj, {"nvmlDeviceGetTotalEnergyConsumption"});
  library->find(library->clock_mhz, {"nvmlDeviceGetClockInfo"});
  library->find(library->clock_limits, {"nvmlDeviceGetCurrentClocksEventReasons",
                                        "nvmlDeviceGetCurrentClocksThrottleReasons"});
  library->find(library->driver_version, {"nvmlSystemGetDriverVersion"});
  library->initialised = library->init != nullptr && library->init() == nvml_success;
  if (!library->initialised) {
    spdlog::debug("no energy and clocks of the GPU: NVML could not be initialised");
    return nullptr;
  }
  return library;
}

}  // namespace

std::string limits_text(std::uint64_t limits) {
  constexpr std::array<std::pair<ClockLimit, const char*>, 5> names{
      {{ClockLimit::power_cap, "power cap"},
       {ClockLimit::thermal, "thermal"},
       {ClockLimit::hardware_thermal, "hardware thermal"},
       {ClockLimit::power_brake, "power brake"},
       {ClockLimit::hardware_slowdown, "hardware slowdown"}}};
  std::vector<const char*> found;
  for (const auto& [limit, name] : names) {
    if ((limits & static_cast<std::uint64_t>(limit)) != 0) found.push_back(name);
  }
  return found.empty() ? "none" : fmt::format("{}", fmt::join(found, ", "));
}

GpuMeter::GpuMeter(c10::Device device) {
  if (device.is_cpu()) return;
  library_ = open_library();
  if (library_ == nullptr || library_->device_by_pci_address == nullptr) return;
  const std::string address = describe(device).pci_address;
  if (library_->device_by_pci_address(address.c_str(), &gpu_) != nvml_success) {
    spdlog::debug("no energy and clocks of the GPU: NVML does not know {}", address);
    gpu_ = nullptr;
  }
}
GpuMeter::~GpuMeter() = default;

std::optional<double> GpuMeter::total_energy_j() const {
  unsigned long long millijoules = 0;
  if (gpu_ == nullptr || library_->total_energy_mj == nullptr ||
      library_->total_energy_mj(gpu_, &millijoules) != nvml_success) {
    return std::nullopt;
  }
  return 1e-3 * static_cast<double>(millijoules);
}

std::optional<GpuClocks> GpuMeter::clocks() const {
  unsigned mhz = 0;
  unsigned long long limits = 0;
  if (gpu_ == nullptr || library_->clock_mhz == nullptr || library_->clock_limits == nullptr ||
      library_->clock_mhz(gpu_, nvml_clock_sm, &mhz) != nvml_success ||
      library_->clock_limits(gpu_, &limits) != nvml_success) {
    return std::nullopt;
  }
  return GpuClocks{.sm_mhz = mhz, .limits = limits};
}

std::string driver_version() {
  const auto library = open_library();
  std::array<char, 80> text{};
  if (library == nullptr || library->driver_version == nullptr ||
      library->driver_version(text.data(), text.size()) != nvml_success) {
    return "";
  }
  return text.data();
}

}  // namespace mpbench::device

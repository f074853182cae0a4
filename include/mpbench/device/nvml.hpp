#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mpbench::device {

/// NVIDIA's management library, which comes with the driver. Where it is missing, or one of its
/// functions, what it would say is empty.
class Nvml {
 public:
  /// Loads and initialises it. `path` is another library in tests.
  explicit Nvml(const std::string& path = "libnvidia-ml.so.1");

  /// The driver's own; loaded at the first call, for the process.
  static const Nvml& library();

  /// "580.65.06"; empty where it is not known.
  std::string driver_version() const;

 private:
  friend class GpuSensors;

  template <class Function>
  void find(Function& function, const char* name);

  // As NVML declares them; 0 is success.
  using Handle = void*;
  void* library_ = nullptr;  // null where it is not to be used
  int (*driver_version_)(char* version, unsigned length) = nullptr;
  int (*handle_by_bus_id_)(const char* bus_id, Handle* handle) = nullptr;
  int (*total_energy_)(Handle handle, unsigned long long* millijoules) = nullptr;
  int (*clock_)(Handle handle, int domain, unsigned* megahertz) = nullptr;
  int (*throttle_reasons_)(Handle handle, unsigned long long* reasons) = nullptr;
  int (*temperature_)(Handle handle, int sensor, unsigned* celsius) = nullptr;
};

/// What one GPU measures of itself: the whole card, whoever uses it. Each is empty where the card
/// does not tell. A reading asks the driver, not the GPU's queue: it does not wait for kernels.
class GpuSensors {
 public:
  /// Of a CUDA device, found by its place on the PCI bus, as CUDA_VISIBLE_DEVICES changes CUDA's
  /// numbers and not NVML's. A CPU has none.
  explicit GpuSensors(c10::Device device);
  GpuSensors(const Nvml& nvml, const std::string& pci_bus_id);
  /// The same as of a device, for a program that computes nothing itself: its place on the bus is
  /// asked of the driver, and LibTorch's CUDA side is not loaded.
  static GpuSensors by_driver(c10::Device device);

  /// Whether there is a card to ask.
  bool available() const { return handle_ != nullptr; }
  /// Joules since the driver was loaded (Volta and later).
  std::optional<double> energy_j() const;
  /// Present clock of the streaming multiprocessors.
  std::optional<int> sm_clock_mhz() const;
  /// Why the clock is not higher at present, as NVML's bits; see throttle_words().
  std::optional<std::uint64_t> throttle_reasons() const;
  /// Degrees Celsius of the chip at present.
  std::optional<int> temperature_c() const;

 private:
  const Nvml* nvml_ = nullptr;
  void* handle_ = nullptr;
};

/// What slowed the clock down, for people: "none", or of "power", "thermal" and "hardware" those
/// that apply, joined by ", ". An idle GPU and clocks that were set by the user are no throttling.
std::string throttle_words(std::uint64_t reasons);

}  // namespace mpbench::device

#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace mpbench::device {

/// What holds a GPU's clock below its maximum, as bits of GpuClocks::limits; those of NVML's
/// nvmlClocksEventReasons that are about power and heat.
enum class ClockLimit : std::uint64_t {
  power_cap = 0x4,          ///< SwPowerCap: the power limit
  hardware_slowdown = 0x8,  ///< HwSlowdown: heat or power, decided by the hardware
  thermal = 0x20,           ///< SwThermalSlowdown
  hardware_thermal = 0x40,  ///< HwThermalSlowdown
  power_brake = 0x80,       ///< HwPowerBrakeSlowdown: the power supply asks for it
};

/// "power cap, thermal"; "none" without a limit. Bits that ClockLimit does not have are left out.
std::string limits_text(std::uint64_t limits);

struct GpuClocks {
  std::int64_t sm_mhz = 0;   ///< of the streaming multiprocessors
  std::uint64_t limits = 0;  ///< ClockLimit bits
};

/// A GPU's energy and clocks, from NVIDIA's management library (libnvidia-ml.so.1, which comes with
/// the driver). Nothing is told where the library, or what is asked of it, is not there: on a CPU,
/// in some containers and virtual machines, for a part of a GPU (MIG).
class GpuMeter {
 public:
  /// Finds the GPU by its PCI address, so that CUDA_VISIBLE_DEVICES does not matter.
  explicit GpuMeter(c10::Device device);
  ~GpuMeter();
  GpuMeter(const GpuMeter&) = delete;
  GpuMeter& operator=(const GpuMeter&) = delete;

  /// Joules since the driver was loaded, of the whole board and of whoever uses it
  /// (nvmlDeviceGetTotalEnergyConsumption; Volta and newer).
  std::optional<double> total_energy_j() const;
  std::optional<GpuClocks> clocks() const;

  struct Library;

 private:
  std::shared_ptr<const Library> library_;
  void* gpu_ = nullptr;
};

/// The driver's version, "580.65.06"; empty where the management library does not tell.
std::string driver_version();

}  // namespace mpbench::device

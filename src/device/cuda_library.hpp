#pragma once

#include <functional>
#include <string>

#include "mpbench/device/device.hpp"

namespace mpbench::device {

/// What only CUDA has, from the library libmpbench_cuda (src/device/cuda), which alone is linked
/// with LibTorch's CUDA side.
struct CudaFunctions {
  int (*device_count)();
  /// What the driver says where no device answers.
  std::string (*absence)();
  DeviceInfo (*describe)(c10::Device device);
  std::string (*runtime_version)();
  std::string (*cudnn_version)();
  /// Captures work as a CUDA graph; what is returned holds the graph and replays it.
  std::function<void()> (*capture)(c10::Device device, const std::function<void()>& work);
};

/// The name of the one symbol that the library exports: a function without arguments that returns
/// `const CudaFunctions*`.
inline constexpr auto cuda_functions_symbol = "mpbench_cuda_functions";

/// CUDA's functions where an NVIDIA driver is installed, null elsewhere and in a build without
/// CUDA: loading LibTorch's CUDA side takes 0.2 s and 350 MB, which no run on a CPU should pay.
const CudaFunctions* cuda();

/// The same whether or not there is a driver, to ask for versions.
const CudaFunctions* cuda_without_driver();

/// The CUDA devices that the driver names, without LibTorch; 0 where there is no driver, it does
/// not say, or this is a build without CUDA.
int driver_device_count();

/// Where one of them is on the PCI bus, as DeviceInfo::pci_bus_id has it; empty where the driver
/// does not say.
std::string driver_pci_bus_id(int index);

/// Why cuda() is null, or no device answers.
std::string cuda_absence();

}  // namespace mpbench::device

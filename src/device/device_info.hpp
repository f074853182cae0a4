#pragma once

#include "mpbench/device/device.hpp"

namespace mpbench::device {

// The CUDA side, in device_cuda.cpp where the build has it and in device.cpp's stand-ins where not.
int cuda_device_count();
DeviceInfo describe_cuda(c10::Device device);
std::string cuda_runtime_version();
std::string cudnn_version();
/// Why CUDA cannot be used: what the driver says, or that this build has no CUDA in it.
std::string cuda_absence();

}  // namespace mpbench::device

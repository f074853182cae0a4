// The one part of mpbench that is linked with LibTorch's CUDA side. Everything else asks the device
// through ATen's device-neutral calls.
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>
#include <fmt/format.h>

#include "../cuda_library.hpp"
#include "capture.hpp"

namespace mpbench::device {
namespace {

// LibTorch's own wrappers, so that the CUDA runtime it brings is the only one in the process.
int device_count() { return c10::cuda::device_count(); }

std::string absence() {
  try {
    return fmt::format("{} CUDA devices answer", c10::cuda::device_count_ensure_non_zero());
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    return reason.substr(0, reason.find('\n'));
  }
}

DeviceInfo describe(c10::Device device) {
  const cudaDeviceProp* properties = at::cuda::getDeviceProperties(device.index());
  DeviceInfo info;
  info.device = device;
  info.name = properties->name;
  info.compute_capability = fmt::format("{}.{}", properties->major, properties->minor);
  info.memory_bytes = static_cast<std::int64_t>(properties->totalGlobalMem);
  info.cores = properties->multiProcessorCount;
  info.pci_bus_id = fmt::format("{:08x}:{:02x}:{:02x}.0", properties->pciDomainID,
                                properties->pciBusID, properties->pciDeviceID);
  const bool tensor_cores = properties->major >= 7;
  const bool ampere = properties->major >= 8;
  info.precisions = {
      {Precision::fp32, Support::native, "strict IEEE, TF32 off: the baseline"},
      {Precision::tf32, ampere ? Support::native : Support::absent,
       ampere ? "Tensor Cores with 10 mantissa bits" : "needs compute capability 8.0"},
      {Precision::bf16, ampere ? Support::native : Support::emulated,
       ampere ? "Tensor Cores, no scaler needed" : "needs compute capability 8.0: expect no gain"},
      {Precision::fp16, tensor_cores ? Support::native : Support::emulated,
       tensor_cores ? "Tensor Cores, with the gradient scaler"
                    : "no Tensor Cores below compute capability 7.0: expect no gain in time"}};
  return info;
}

std::string runtime_version() {
  int version = 0;
  if (cudaRuntimeGetVersion(&version) != cudaSuccess) return "";
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string cudnn_version() {
  if (!at::detail::getCUDAHooks().hasCuDNN()) return "";
  const long version = at::detail::getCUDAHooks().versionCuDNN();
  return fmt::format("{}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

constexpr CudaFunctions functions{.device_count = device_count,
                                  .absence = absence,
                                  .describe = describe,
                                  .runtime_version = runtime_version,
                                  .cudnn_version = cudnn_version,
                                  .capture = capture};

}  // namespace
}  // namespace mpbench::device

extern "C" __attribute__((visibility("default"))) const mpbench::device::CudaFunctions*
mpbench_cuda_functions() {
  return &mpbench::device::functions;
}

#include <cstdio>
#include <cstring>

#include "fake.hpp"

#undef cudaGetDeviceProperties

using namespace fake_cuda;

namespace {

// An H100's, as far as LibTorch asks.
constexpr int multiprocessors = 132;
constexpr int threads_per_block = 1024;
constexpr int threads_per_multiprocessor = 2048;
constexpr int shared_memory_per_block = 232448;
constexpr int shared_memory_per_multiprocessor = 233472;
constexpr int runtime_version = 13000;

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* number) {
  *number = options().devices;
  return options().devices > 0 ? cudaSuccess : failed(cudaErrorNoDevice);
}
cudaError_t cudaGetDevice(int* device) {
  *device = current_device();
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= options().devices) return failed(cudaErrorInvalidDevice);
  current_device() = device;
  use_context(device);
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = runtime_version;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = runtime_version;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= options().devices) return failed(cudaErrorInvalidDevice);
  if (options().refused == __func__) return failed(cudaErrorUnknown);
  std::memset(properties, 0, sizeof *properties);
  std::snprintf(properties->name, sizeof properties->name, "Fake H100 %d", device);
  properties->totalGlobalMem = options().memory_bytes;
  properties->major = 9;
  properties->pciBusID = 0x17 + device;
  properties->multiProcessorCount = multiprocessors;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = threads_per_block;
  properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = threads_per_block;
  properties->maxThreadsDim[2] = 64;
  properties->maxGridSize[0] = 2147483647;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->sharedMemPerBlock = 49152;
  properties->sharedMemPerBlockOptin = shared_memory_per_block;
  properties->sharedMemPerMultiprocessor = shared_memory_per_multiprocessor;
  properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
  properties->maxThreadsPerMultiProcessor = threads_per_multiprocessor;
  properties->maxBlocksPerMultiProcessor = 32;
  properties->l2CacheSize = 50 << 20;
  properties->concurrentKernels = properties->unifiedAddressing = properties->canMapHostMemory = 1;
  properties->cooperativeLaunch = 1;
  properties->asyncEngineCount = 3;
  properties->textureAlignment = 512;
  properties->memoryBusWidth = 5120;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = threads_per_block;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = multiprocessors;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      break;
    case cudaDevAttrWarpSize:
      *value = 32;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = shared_memory_per_block;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = shared_memory_per_multiprocessor;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = threads_per_multiprocessor;
      break;
    case cudaDevAttrMaxGridDimX:
      *value = 2147483647;
      break;
    default:
      *value = 1;
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaSuccess; }
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  std::snprintf(text, static_cast<std::size_t>(length), "0000:%02x:00.0", 0x17 + device);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  use_context(current_device());
  if (const cudaError_t error = refuse_while_capturing("cudaDeviceSynchronize")) return error;
  count("synchronize device");
  double last = 0;
  {
    const std::lock_guard lock(state().mutex);
    for (const Stream* stream : state().streams) {
      if (stream->device == current_device()) last = std::max(last, stream->free_at);
    }
    last = std::max(last, state().default_streams[current_device()].free_at);
  }
  wait_until(last);
  return cudaSuccess;
}
}

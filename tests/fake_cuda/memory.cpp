#include <cstdlib>
#include <cstring>

#include "fake.hpp"

using namespace fake_cuda;

namespace {

constexpr std::size_t device_alignment = 2 << 20;
constexpr std::size_t page = 4096;

/// The allocation that an address lies in, or null.
const Allocation* find(const std::map<const void*, Allocation>& memory, const void* address) {
  auto after = memory.upper_bound(address);
  if (after == memory.begin()) return nullptr;
  --after;
  const auto* begin = static_cast<const char*>(after->first);
  return static_cast<const char*>(address) < begin + after->second.bytes ? &after->second : nullptr;
}

const char* place_of(const void* address) {
  const std::lock_guard lock(state().mutex);
  if (find(state().device_memory, address) != nullptr) return "device";
  return find(state().pinned_memory, address) != nullptr ? "pinned" : "pageable";
}

std::string copy_name(const void* to, const void* from) {
  return std::string("copy ") + place_of(from) + " to " + place_of(to);
}

cudaError_t allocate(void** address, std::size_t bytes, std::size_t alignment,
                     std::map<const void*, Allocation>& memory) {
  if (posix_memalign(address, alignment, bytes == 0 ? 1 : bytes) != 0)
    return failed(cudaErrorMemoryAllocation);
  memory[*address] = {bytes, current_device()};
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  use_context(current_device());
  if (const cudaError_t error = refuse_while_capturing("cudaMalloc")) return error;
  const std::lock_guard lock(state().mutex);
  std::size_t& used = state().used_bytes[current_device()];
  count("allocate");
  if (used + bytes > options().memory_bytes) {
    count("allocation refused");
    *address = nullptr;
    return failed(cudaErrorMemoryAllocation);
  }
  if (const cudaError_t error = allocate(address, bytes, device_alignment, state().device_memory))
    return error;
  used += bytes;
  state().peak_bytes = std::max(state().peak_bytes, used);
  // Not all: a large network's activations are never touched, and need no real memory.
  constexpr std::size_t cleared = 4 << 20;
  std::memset(*address, 0, std::min(bytes, cleared));
  return cudaSuccess;
}

cudaError_t cudaFree(void* address) {
  if (address == nullptr) {
    use_context(current_device());
    return cudaSuccess;
  }
  if (const cudaError_t error = refuse_while_capturing("cudaFree")) return error;
  const std::lock_guard lock(state().mutex);
  const auto found = state().device_memory.find(address);
  if (found == state().device_memory.end()) return failed(cudaErrorInvalidValue);
  state().used_bytes[found->second.device] -= found->second.bytes;
  state().device_memory.erase(found);
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  const std::lock_guard lock(state().mutex);
  *total = options().memory_bytes;
  *free_bytes = *total - state().used_bytes[current_device()];
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** address, std::size_t bytes, unsigned) {
  use_context(current_device());
  if (const cudaError_t error = refuse_while_capturing("cudaHostAlloc")) return error;
  if (options().refused == __func__) return failed(cudaErrorMemoryAllocation);
  const std::lock_guard lock(state().mutex);
  count("allocate pinned");
  return allocate(address, bytes, page, state().pinned_memory);
}
cudaError_t cudaFreeHost(void* address) {
  const std::lock_guard lock(state().mutex);
  state().pinned_memory.erase(address);
  std::free(address);
  return cudaSuccess;
}
cudaError_t cudaHostRegister(void* address, std::size_t bytes, unsigned) {
  const std::lock_guard lock(state().mutex);
  state().pinned_memory[address] = {bytes, current_device()};
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* address) {
  const std::lock_guard lock(state().mutex);
  state().pinned_memory.erase(address);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  const std::lock_guard lock(state().mutex);
  std::memset(attributes, 0, sizeof *attributes);
  attributes->type = cudaMemoryTypeUnregistered;
  attributes->device = cudaInvalidDeviceId;
  if (const Allocation* device = find(state().device_memory, address)) {
    attributes->type = cudaMemoryTypeDevice;
    attributes->device = device->device;
    attributes->devicePointer = const_cast<void*>(address);
  } else if (const Allocation* pinned = find(state().pinned_memory, address)) {
    attributes->type = cudaMemoryTypeHost;
    attributes->device = pinned->device;
    attributes->hostPointer = attributes->devicePointer = const_cast<void*>(address);
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  use_context(current_device());
  const std::string name = copy_name(to, from);
  if (stream_of(stream).graph != nullptr && name.find("pageable") != std::string::npos)
    violation(name + " in a capture");
  // What kernels should have computed is whatever lay there before: it is read as zeros. Single
  // values may be filled.
  constexpr std::size_t single_value = 16;
  const bool result = bytes > single_value && name == "copy device to pageable";
  return enqueue(stream, name,
                 [=] { result ? std::memset(to, 0, bytes) : std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (const cudaError_t error = refuse_while_capturing("cudaMemcpy")) return error;
  const std::string name = copy_name(to, from);
  count("synchronize with a " + name);
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, std::size_t bytes,
                                cudaStream_t stream) {
  return enqueue(stream, "copy between devices", [=] { std::memcpy(to, from, bytes); });
}
cudaError_t cudaMemsetAsync(void* address, int value, std::size_t bytes, cudaStream_t stream) {
  return enqueue(stream, "memset", [=] { std::memset(address, value, bytes); });
}
cudaError_t cudaMemset(void* address, int value, std::size_t bytes) {
  if (const cudaError_t error = refuse_while_capturing("cudaMemset")) return error;
  std::memset(address, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyToSymbol(const void*, const void*, std::size_t, std::size_t, cudaMemcpyKind) {
  return cudaSuccess;
}
cudaError_t cudaGetSymbolAddress(void** address, const void*) {
  static char anything[1 << 16];
  *address = anything;
  return cudaSuccess;
}
}

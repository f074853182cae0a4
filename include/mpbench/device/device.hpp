#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/core/precision.hpp"

/// The machine a run computes on. CUDA is the same code with another device; what only CUDA has is
/// in a library of its own, loaded where a driver is installed.
namespace mpbench::device {

/// Loads LibTorch's CUDA side where an NVIDIA driver is installed. Must come before the process's
/// first call of ATen, which asks only once whether that side is there; without it no GPU answers.
void load_cuda();

/// Parses "auto", "cpu", "cuda" or "cuda:N". "auto" is CUDA where a GPU answers, the CPU elsewhere.
/// Throws UsageError for another word, Error for a CUDA device that is not there (and why: no GPU,
/// or a build without CUDA).
c10::Device parse_device(std::string_view text);

/// How well a device computes in a precision.
enum class Support {
  native,    ///< the arithmetic units exist
  emulated,  ///< computed in float32 and rounded: right values, no gain in time
  absent,    ///< cannot be asked for here
};

std::string_view to_string(Support support);

/// One line of advice goes with each verdict.
struct PrecisionSupport {
  Precision precision;
  Support support;
  std::string advice;
};

struct DeviceInfo {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  std::string name;
  std::string compute_capability;  ///< "9.0" on CUDA, the instruction sets on a CPU
  std::string pci_address;         ///< "00000000:01:00.0"; empty on the CPU
  std::int64_t memory_bytes = 0;
  int cores = 0;  ///< CPU threads, or streaming multiprocessors
  std::vector<PrecisionSupport> precisions;
};

DeviceInfo describe(c10::Device device);

/// Every device that answers, the CPU first.
std::vector<DeviceInfo> list_devices();

/// What `--amp` means here, PyTorch's own autocast defaults: fp16 on CUDA, bf16 on the CPU.
Precision default_mixed_precision(c10::Device device);

/// Waits until the device has finished what was queued; at once on the CPU.
void synchronize(c10::Device device);

/// Highest numbers of bytes since reset_peak_memory, as torch.cuda.max_memory_allocated and
/// max_memory_reserved tell them.
struct PeakMemory {
  std::int64_t allocated = 0;  ///< in use by tensors
  std::int64_t reserved = 0;   ///< taken from the device: with what is kept for later, and with
                               ///< what CUDA graphs work in
};

/// Nothing on the CPU, and before anything was computed on the device.
std::optional<PeakMemory> peak_memory(c10::Device device);
void reset_peak_memory(c10::Device device);

/// How many allocations the device refused since the process began; 0 on the CPU. Some are tried
/// for speed alone, and no error: cuDNN's search for an algorithm asks for workspace.
std::int64_t refused_allocations(c10::Device device);

/// Versions of what computes.
struct Versions {
  std::string torch;
  std::string onednn;
};
Versions versions();

/// Versions of CUDA's part; an empty string where it is not in this build. Loads that part, even
/// where no driver is installed.
struct CudaVersions {
  std::string runtime;
  std::string cudnn;
};
CudaVersions cuda_versions();

}  // namespace mpbench::device

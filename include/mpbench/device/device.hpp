#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mpbench/core/enum_names.hpp"
#include "mpbench/core/precision.hpp"

/// The machine a run computes on. CUDA is the same code with another device; what only CUDA has is
/// in a library of its own, loaded where a driver is installed.
namespace mpbench::device {

/// Loads LibTorch's CUDA side where an NVIDIA driver is. ATen asks only once whether that side is
/// there, so a program that may compute on CUDA calls this before anything of ATen's. Takes 0.2 s
/// and 350 MB.
void load_cuda();

/// Parses "auto", "cpu", "cuda" or "cuda:N". "auto" is CUDA where a GPU answers, the CPU elsewhere.
/// Throws UsageError for another word, Error for a CUDA device that is not there (and why: no GPU,
/// or a build without CUDA). Loads CUDA as load_cuda() does, unless the text is "cpu".
c10::Device parse_device(std::string_view text);

/// The same for a program that computes nothing itself: it asks the driver alone, and loads
/// LibTorch's CUDA side only where the driver names no such device, to say why.
c10::Device find_device(std::string_view text);

/// How well a device computes in a precision.
enum class Support {
  native,    ///< the arithmetic units exist
  emulated,  ///< computed in float32 and rounded: right values, no gain in time
  absent,    ///< cannot be asked for here
};

}  // namespace mpbench::device

template <>
inline constexpr auto mpbench::enum_names<mpbench::device::Support> =
    std::to_array<mpbench::EnumName<mpbench::device::Support>>(
        {{mpbench::device::Support::native, "native"},
         {mpbench::device::Support::emulated, "emulated"},
         {mpbench::device::Support::absent, "absent"}});

namespace mpbench::device {

/// One line of advice goes with each verdict.
struct PrecisionSupport {
  Precision precision;
  Support support;
  std::string advice;
};

/// "bf16 is emulated on this device: ADVICE"; empty where the device computes in it natively.
/// `advice` takes the place of the device's own where it is not empty.
std::string precision_warning(Precision precision, c10::Device device,
                              std::string_view advice = {});

struct DeviceInfo {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  std::string name;
  std::string compute_capability;  ///< "9.0" on CUDA, the instruction sets on a CPU
  std::int64_t memory_bytes = 0;
  int cores = 0;           ///< CPU threads, or streaming multiprocessors
  std::string pci_bus_id;  ///< "00000000:17:00.0"; CUDA only
  std::vector<PrecisionSupport> precisions;
};

DeviceInfo describe(c10::Device device);

/// Every device that answers, the CPU first.
std::vector<DeviceInfo> list_devices();

/// What `--amp` means here, PyTorch's own autocast defaults: fp16 on CUDA, bf16 on the CPU.
Precision default_mixed_precision(c10::Device device);

/// Waits until the device has finished what was queued; at once on the CPU.
void synchronize(c10::Device device);

/// The most that the device's allocator held at any moment since reset_peak_memory.
struct PeakMemory {
  std::int64_t allocated_bytes = 0;  ///< in tensors (torch.cuda.max_memory_allocated)
  std::int64_t reserved_bytes = 0;   ///< taken from the device (torch.cuda.max_memory_reserved)
};
/// Nothing on the CPU, and where CUDA is not initialised.
std::optional<PeakMemory> peak_memory(c10::Device device);
/// Initialises CUDA where it is not; does nothing on the CPU.
void reset_peak_memory(c10::Device device);

/// Versions of what computes.
struct Versions {
  std::string torch;            ///< that is loaded: "2.11.0"
  std::string torch_built_for;  ///< whose headers this was compiled with
  std::string onednn;
};
Versions versions();

/// Versions of CUDA's part; an empty string where it is not in this build. Loads that part, even
/// where no driver is installed. The driver's is empty where there is none.
struct CudaVersions {
  std::string runtime;
  std::string cudnn;
  std::string driver;
};
CudaVersions cuda_versions();

}  // namespace mpbench::device

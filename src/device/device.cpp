#include "mpbench/device/device.hpp"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/version.h>
#include <unistd.h>

#include <thread>

#include "allocator_statistics.hpp"
#include "cuda_library.hpp"
#include "mpbench/core/error.hpp"
#include "mpbench/device/cpu_features.hpp"
#include "mpbench/device/device_options.hpp"
#include "mpbench/device/nvml.hpp"

namespace mpbench::device {

namespace {

int cuda_device_count() { return cuda() == nullptr ? 0 : cuda()->device_count(); }

DeviceInfo describe_cpu() {
  const CpuFeatures& cpu = cpu_features();
  DeviceInfo info;
  info.name = cpu.name;
  info.memory_bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::int64_t>(sysconf(_SC_PAGESIZE));
  info.cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<std::string_view> sets;
  if (cpu.avx512_bf16) sets.push_back("avx512_bf16");
  if (cpu.avx512_fp16) sets.push_back("avx512_fp16");
  if (cpu.amx_bf16) sets.push_back("amx_bf16");
  if (cpu.amx_fp16) sets.push_back("amx_fp16");
  info.compute_capability = fmt::format("{}", fmt::join(sets, " "));
  const bool bf16 = cpu.avx512_bf16 || cpu.amx_bf16;
  const bool fp16 = cpu.avx512_fp16 || cpu.amx_fp16;
  info.precisions = {
      {Precision::fp32, Support::native, "the baseline"},
      {Precision::tf32, Support::absent, "TF32 is a format of NVIDIA's Tensor Cores"},
      {Precision::bf16, bf16 ? Support::native : Support::emulated,
       cpu.amx_bf16 ? "AMX tiles: expect convolutions to gain most"
       : bf16       ? "AVX-512 bf16 dot products: expect a moderate gain"
                    : "no bf16 arithmetic: computed in float32 and rounded; expect fp32's time"},
      {Precision::fp16, fp16 ? Support::native : Support::emulated,
       cpu.amx_fp16 ? "AMX tiles"
       : fp16       ? "AVX512-FP16, but oneDNN's weight-gradient is computed in float32"
                    : "no fp16 arithmetic: computed in float32 and rounded; expect fp32's time"}};
  return info;
}

c10::Device cuda_device(int index) {
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
}

/// From the C interface that LibTorch keeps stable, as a macro would only tell of the headers: the
/// version's three numbers in the three highest bytes (torch/headeronly/version.h).
std::string loaded_torch_version() {
  const std::uint64_t packed = aoti_torch_abi_version();
  return fmt::format("{}.{}.{}", packed >> 56U & 0xFFU, packed >> 48U & 0xFFU,
                     packed >> 40U & 0xFFU);
}

}  // namespace

void load_cuda() { static_cast<void>(cuda()); }

c10::Device parse_device(std::string_view text) {
  const DeviceChoice choice = parse_device_choice(text);
  const bool automatic = choice.kind == DeviceChoice::Kind::automatic;
  if (choice.kind == DeviceChoice::Kind::cpu || (automatic && cuda_device_count() == 0)) {
    return c10::Device(c10::DeviceType::CPU);
  }
  if (choice.index >= cuda_device_count()) {
    throw Error(
        fmt::format("device {}: {}; use --device cpu, or see mpbench info", text, cuda_absence()));
  }
  return cuda_device(choice.index);
}

c10::Device find_device(std::string_view text) {
  const DeviceChoice choice = parse_device_choice(text);
  const bool cpu = choice.kind == DeviceChoice::Kind::cpu;
  return !cpu && choice.index < driver_device_count() ? cuda_device(choice.index)
                                                      : parse_device(text);
}

DeviceInfo describe(c10::Device device) {
  if (device.is_cpu()) return describe_cpu();
  if (cuda() == nullptr) throw Error(cuda_absence());
  return cuda()->describe(device);
}

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> devices{describe_cpu()};
  for (int i = 0; i < cuda_device_count(); ++i) devices.push_back(describe(cuda_device(i)));
  return devices;
}

Precision default_mixed_precision(c10::Device device) {
  return device.is_cuda() ? Precision::fp16 : Precision::bf16;
}

void synchronize(c10::Device device) {
  if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
}

std::optional<PeakMemory> peak_memory(c10::Device device) {
  const auto stats = allocator_statistics(device);
  if (!stats) return std::nullopt;
  constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return PeakMemory{.allocated_bytes = stats->allocated_bytes[all].peak,
                    .reserved_bytes = stats->reserved_bytes[all].peak};
}

void reset_peak_memory(c10::Device device) {
  if (device.is_cpu()) return;
  // Until then the allocator knows no device, and throws.
  at::globalContext().lazyInitDevice(device.type());
  at::accelerator::resetPeakStats(device.index());
}

Versions versions() {
  Versions found{.torch = loaded_torch_version(), .torch_built_for = TORCH_VERSION, .onednn = {}};
  // "Intel(R) MKL-DNN v3.10.2 (Git Hash ...)"
  const std::string onednn = at::get_mkldnn_version();
  if (const auto v = onednn.find(" v"); v != std::string::npos) {
    found.onednn = onednn.substr(v + 2, onednn.find(' ', v + 2) - v - 2);
  }
  return found;
}

CudaVersions cuda_versions() {
  const CudaFunctions* functions = cuda_without_driver();
  if (functions == nullptr) return {};
  return {.runtime = functions->runtime_version(),
          .cudnn = functions->cudnn_version(),
          .driver = Nvml::library().driver_version()};
}

std::string precision_warning(Precision precision, c10::Device device, std::string_view advice) {
  for (const PrecisionSupport& one : describe(device).precisions) {
    if (one.precision != precision || one.support == Support::native) continue;
    return fmt::format("{} is {} on this device: {}", to_string(precision), enum_name(one.support),
                       advice.empty() ? one.advice : advice);
  }
  return {};
}

}  // namespace mpbench::device

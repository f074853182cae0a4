#include "cuda_library.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

namespace mpbench::device {

#ifdef MPBENCH_WITH_CUDA
namespace {

struct Loaded {
  const CudaFunctions* functions = nullptr;
  std::string obstacle;
};

std::string last_error() {
  const char* message = dlerror();
  return message == nullptr ? "unknown error" : message;
}

/// LibTorch's CUDA side lies beside the library that holds this function of it, which need not be
/// where the run path of libmpbench_cuda leads (src/cli/torch_package.cpp).
void load_libtorch_cuda() {
  Dl_info torch{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &torch) == 0) return;
  const auto library = std::filesystem::path(torch.dli_fname).replace_filename("libtorch_cuda.so");
  dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
}

Loaded load() {
  load_libtorch_cuda();
  // Found by the run path of the engine, which lies beside it.
  void* library = dlopen(MPBENCH_CUDA_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, last_error()};
  const auto functions =
      reinterpret_cast<const CudaFunctions* (*)()>(dlsym(library, cuda_functions_symbol));
  if (functions == nullptr) return {nullptr, last_error()};
  return {functions(), ""};
}

const Loaded& loaded() {
  static const Loaded once = load();
  return once;
}

void* open_driver() { return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); }

Loaded load_if_driver() {
  if (open_driver() == nullptr)
    return {nullptr, fmt::format("there is no NVIDIA driver ({})", last_error())};
  return loaded();
}

const Loaded& loaded_if_driver() {
  static const Loaded once = load_if_driver();
  return once;
}

}  // namespace

const CudaFunctions* cuda() { return loaded_if_driver().functions; }
const CudaFunctions* cuda_without_driver() { return loaded().functions; }
std::string cuda_absence() {
  return cuda() == nullptr ? loaded_if_driver().obstacle : cuda()->absence();
}

int driver_device_count() {
  void* const driver = open_driver();
  if (driver == nullptr) return 0;
  // CUresult cuInit(unsigned), CUresult cuDeviceGetCount(int*): neither makes a context.
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get_count = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDeviceGetCount"));
  int count = 0;
  if (initialise == nullptr || get_count == nullptr || initialise(0) != 0) return 0;
  return get_count(&count) == 0 ? count : 0;
}

std::string driver_pci_bus_id(int index) {
  if (index < 0 || index >= driver_device_count()) return "";  // which initialises the driver
  // CUresult cuDeviceGet(CUdevice*, int),
  // CUresult cuDeviceGetAttribute(int*, CUdevice_attribute, CUdevice): neither makes a context.
  void* const driver = open_driver();
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_attribute =
      reinterpret_cast<int (*)(int*, int, int)>(dlsym(driver, "cuDeviceGetAttribute"));
  int device = 0;
  if (get == nullptr || get_attribute == nullptr || get(&device, index) != 0) return "";
  constexpr int bus_attribute = 33;
  constexpr int device_attribute = 34;
  constexpr int domain_attribute = 50;
  int domain = 0;
  int bus = 0;
  int slot = 0;
  if (get_attribute(&domain, domain_attribute, device) != 0 ||
      get_attribute(&bus, bus_attribute, device) != 0 ||
      get_attribute(&slot, device_attribute, device) != 0) {
    return "";
  }
  return fmt::format("{:08x}:{:02x}:{:02x}.0", domain, bus, slot);
}
#else
const CudaFunctions* cuda() { return nullptr; }
const CudaFunctions* cuda_without_driver() { return nullptr; }
int driver_device_count() { return 0; }
std::string driver_pci_bus_id(int /*index*/) { return ""; }
std::string cuda_absence() { return "this mpbench was built without the CUDA toolkit"; }
#endif

}  // namespace mpbench::device

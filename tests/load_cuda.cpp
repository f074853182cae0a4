#include "mpbench/device/device.hpp"

// Before any test: LibTorch asks only once whether its CUDA side is there.
[[maybe_unused]] static const bool cuda_loaded = (mpbench::device::load_cuda(), true);

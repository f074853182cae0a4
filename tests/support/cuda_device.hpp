#pragma once

#include <gtest/gtest.h>

#include <exception>

#include "mpbench/device/device.hpp"

namespace mpbench::device {
/// Before the first test: ATen asks only once whether its CUDA side is there.
inline const bool cuda_loaded_at_start = (load_cuda(), true);
}  // namespace mpbench::device

/// Ends a test that needs a GPU as skipped, with the reason why there is none.
#define SKIP_WITHOUT_CUDA()                      \
  try {                                          \
    (void)mpbench::device::parse_device("cuda"); \
  } catch (const std::exception& no_cuda) {      \
    GTEST_SKIP() << no_cuda.what();              \
  }                                              \
  static_assert(true, "ends with a semicolon")

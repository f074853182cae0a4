#pragma once

#include <ATen/Context.h>

#include <array>

namespace mpbench::device {

/// Says how float32 convolutions and matrix products are computed while it lives: IEEE (strict), or
/// TF32 where the device has it. cuDNN's convolutions use TF32 unless told otherwise, so "FP32"
/// must be asked for. Restores what was set before. Throws Error when ATen does not take the
/// setting.
class Float32PrecisionGuard {
 public:
  explicit Float32PrecisionGuard(bool allow_tf32);
  ~Float32PrecisionGuard();
  Float32PrecisionGuard(const Float32PrecisionGuard&) = delete;
  Float32PrecisionGuard& operator=(const Float32PrecisionGuard&) = delete;

 private:
  std::array<at::Float32Precision, 6> previous_{};
};

}  // namespace mpbench::device

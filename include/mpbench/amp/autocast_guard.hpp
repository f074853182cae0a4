#pragma once

#include <ATen/core/TensorBody.h>

namespace mpbench::amp {

/// Turns autocast on (or off) for one device type while it lives, as `with torch.autocast(...)`
/// does in Python: the previous enabled flag, dtype and cache flag come back at the end, and the
/// cache of cast weights is dropped when the outermost guard ends.
///
/// Autocast is thread-local: it reaches the thread that made the guard, and the backward pass it
/// starts.
class AutocastGuard {
 public:
  /// `dtype` is kBFloat16 or kHalf; another one throws Error unless `enabled` is false. Turn
  /// `cache_enabled` off where a weight changes inside the guard, or where a CUDA graph is
  /// captured.
  AutocastGuard(at::DeviceType device_type, at::ScalarType dtype, bool enabled = true,
                bool cache_enabled = true);
  ~AutocastGuard();

  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  at::DeviceType device_type_;
  at::ScalarType previous_dtype_;
  bool previous_enabled_;
  bool previous_cache_enabled_;
};

}  // namespace mpbench::amp

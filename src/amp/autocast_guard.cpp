#include "mpbench/amp/autocast_guard.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <fmt/format.h>

#include "mpbench/core/error.hpp"

namespace mpbench::amp {

AutocastGuard::AutocastGuard(at::DeviceType device_type, at::ScalarType dtype, bool enabled,
                             bool cache_enabled)
    : device_type_(device_type),
      previous_dtype_(at::autocast::get_autocast_dtype(device_type)),
      previous_enabled_(at::autocast::is_autocast_enabled(device_type)),
      previous_cache_enabled_(at::autocast::is_autocast_cache_enabled()) {
  if (enabled && dtype != at::kBFloat16 && dtype != at::kHalf) {
    throw Error(fmt::format("autocast on {}: dtype {} is neither bfloat16 nor float16",
                            c10::DeviceTypeName(device_type, /*lower_case=*/true),
                            c10::toString(dtype)));
  }
  at::autocast::set_autocast_enabled(device_type, enabled);
  at::autocast::set_autocast_dtype(device_type, dtype);
  at::autocast::increment_nesting();
  at::autocast::set_autocast_cache_enabled(cache_enabled);
}

AutocastGuard::~AutocastGuard() {
  // The cache holds casts of weights that the next optimizer step changes.
  if (at::autocast::decrement_nesting() == 0) {
    at::autocast::clear_cache();
  }
  at::autocast::set_autocast_enabled(device_type_, previous_enabled_);
  at::autocast::set_autocast_dtype(device_type_, previous_dtype_);
  at::autocast::set_autocast_cache_enabled(previous_cache_enabled_);
}

}  // namespace mpbench::amp

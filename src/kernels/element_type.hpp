#pragma once

#include <c10/core/ScalarType.h>

namespace mpbench::kernels {

/// Whether our kernels are compiled for it: float32, bfloat16 and float16.
inline bool has_element_type(c10::ScalarType type) {
  return type == c10::ScalarType::Float || type == c10::ScalarType::BFloat16 ||
         type == c10::ScalarType::Half;
}

/// Calls function(T{}) with the C++ type of `type`, which has_element_type.
template <typename Function>
void with_element_type(c10::ScalarType type, Function function) {
  if (type == c10::ScalarType::Float) return function(float{});
  if (type == c10::ScalarType::BFloat16) return function(c10::BFloat16{});
  return function(c10::Half{});
}

}  // namespace mpbench::kernels

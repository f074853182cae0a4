#pragma once

#include <c10/core/ScalarType.h>

#include <type_traits>

namespace mpbench::kernels {

/// A table of kernels for each element type that they are compiled for.
template <template <typename> class Kernels>
struct PerElementType {
  Kernels<float> float32;
  Kernels<c10::BFloat16> bfloat16;
  Kernels<c10::Half> float16;

  template <typename T>
  const Kernels<T>& of() const {
    if constexpr (std::is_same_v<T, float>) return float32;
    if constexpr (std::is_same_v<T, c10::BFloat16>) return bfloat16;
    if constexpr (std::is_same_v<T, c10::Half>) return float16;
  }
};

/// Whether PerElementType has it: float32, bfloat16 and float16.
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

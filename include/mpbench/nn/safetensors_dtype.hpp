#pragma once

#include <c10/core/ScalarType.h>

#include <string>

namespace mpbench::nn {

/// The safetensors name of a dtype ("F32", "BF16", "I64"); throws Error for one that the format
/// does not have.
std::string safetensors_dtype(c10::ScalarType dtype);

/// The dtype of a safetensors name; throws Error for an unknown one.
c10::ScalarType torch_dtype(const std::string& name);

}  // namespace mpbench::nn

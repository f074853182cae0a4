// Convolves bfloat16 or float16 tensors, forward and backward, with the operations emulated that
// this machine or MPBENCH_EMULATION asks for. emulation_parity_test.py compares the results with
// PyTorch's convolutions in float32 and in the 16-bit type.
#include <torch/types.h>

#include "convolve.hpp"
#include "driver.hpp"
#include "mpbench/kernels/cpu_kernels.hpp"
#include "tensor_json.hpp"

namespace mpbench::parity::emulation_driver {
namespace {

json answer(const json& spec) {
  const auto precision = spec.at("dtype") == "float16" ? Precision::fp16 : Precision::bf16;
  const auto emulated = kernels::emulated_operations(precision);
  const kernels::CpuKernelsGuard guard({.emulated = emulated});
  json result = spec.contains("input") ? convolve(spec) : json::object();
  result["label"] = emulated.label();
  return result;
}

}  // namespace

const Driver driver("emulation", answer);

}  // namespace mpbench::parity::emulation_driver

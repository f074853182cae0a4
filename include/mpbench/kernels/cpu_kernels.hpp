#pragma once

#include <optional>
#include <string>

#include "mpbench/kernels/depthwise.hpp"
#include "mpbench/kernels/fp16_support.hpp"
#include "mpbench/kernels/instruction_set.hpp"

namespace mpbench::kernels {

/// Where kernels of our own stand in for the framework's on the CPU. The defaults change nothing.
struct CpuKernelOptions {
  Depthwise depthwise = Depthwise::framework;
  /// Given: float16 convolutions and matrix products without a fast float16 kernel are computed in
  /// float32 from the float16 operands, and the result is rounded to float16: the values of a
  /// float16 kernel that accumulates in float32.
  std::optional<Fp16Support> fp16{};
  /// batch_norm_activation in one pass, keeping only its input for the backward pass.
  bool fused_norm = false;
};

/// Puts the kernels in place while it lives; every other operation, dtype and device is untouched.
///
/// It registers CPU kernels for aten::convolution and aten::convolution_backward, which ATen itself
/// implements above the CPU key, and for aten::mm and aten::addmm; each only where the options need
/// it. So they reach every layer of every model, below autograd and autocast. The registration
/// belongs to the process, not the thread: make the guard where a run starts, before other threads
/// multiply or convolve, not around each step. Guards may nest; the outermost one's options hold.
class CpuKernelsGuard {
 public:
  /// Throws UsageError for a bad MPBENCH_KERNELS (instruction_set).
  explicit CpuKernelsGuard(const CpuKernelOptions& options);
  ~CpuKernelsGuard();

  CpuKernelsGuard(const CpuKernelsGuard&) = delete;
  CpuKernelsGuard& operator=(const CpuKernelsGuard&) = delete;

  /// The outermost guard's.
  const CpuKernelOptions& options() const { return options_; }

  /// How depthwise convolutions are computed in this run, for runs.csv: "framework", "fp32", or our
  /// own kernels' "avx512" or "avx2". Depthwise::automatic is "framework" where we have none for
  /// this processor.
  std::string depthwise_label() const;

 private:
  CpuKernelOptions options_;
  InstructionSet instructions_;
};

/// The options and instructions of the outermost living guard; the defaults and none without one.
/// Read it from any thread; a guard must not come or go at the same time.
const CpuKernelOptions& active_options();
InstructionSet active_instructions();

}  // namespace mpbench::kernels

#pragma once

#include <optional>
#include <string>

#include "mpbench/kernels/depthwise_options.hpp"
#include "mpbench/kernels/emulation.hpp"
#include "mpbench/kernels/instruction_set.hpp"

namespace mpbench::kernels {

/// Where kernels of our own stand in for the framework's on the CPU. The defaults change nothing.
struct CpuKernelOptions {
  DepthwiseBackend depthwise = DepthwiseBackend::framework;
  /// Given: those convolutions and matrix products of its 16-bit type are computed in float32 from
  /// the 16-bit operands, and the result is rounded: the values of a 16-bit kernel that accumulates
  /// in float32.
  std::optional<EmulatedOperations> emulated{};
  /// Of our kernels; the environment's choice, or the processor's widest, unless given.
  std::optional<InstructionSet> instructions{};
  /// batch_norm_activation, max_pool_2x2 and spatial_mean as autograd functions that keep their
  /// input alone, or nothing, for the backward pass; else the framework's operations.
  bool norm_and_pooling = false;
};

/// Puts the kernels in place while it lives; every other operation, dtype and device is untouched.
///
/// It registers CPU kernels for aten::convolution and aten::convolution_backward, which ATen itself
/// implements above the CPU key, and for aten::mm, addmm, bmm and baddbmm; each only where the
/// options need it. So they reach every layer of every model, below autograd and autocast. The
/// registration belongs to the process, not the thread: make the guard where a run starts, before
/// other threads multiply or convolve, not around each step. Guards may nest; the outermost one's
/// options hold.
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
  /// own kernels' "avx512" or "avx2". DepthwiseBackend::automatic is "framework" where we have none
  /// for this processor.
  std::string depthwise_label() const;
  /// Which operators are computed how, for runs.csv; "framework" where all are the framework's.
  std::string label() const;

 private:
  CpuKernelOptions options_;
  InstructionSet instructions_;
};

/// The options and instructions of the outermost living guard; the defaults and none without one.
/// Read it from any thread; a guard must not come or go at the same time.
const CpuKernelOptions& active_options();
InstructionSet active_instructions();

}  // namespace mpbench::kernels

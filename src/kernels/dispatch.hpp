#pragma once

#include "batch_norm/batch_norm_kernels.hpp"
#include "depthwise/depthwise_kernels.hpp"
#include "element_type.hpp"
#include "mpbench/kernels/instruction_set_options.hpp"
#include "pool/max_pool_kernels.hpp"

namespace mpbench::kernels {

/// Everything that is compiled for each instruction set. A new kernel is a member here, and a new
/// instruction set an entry in dispatch.cpp.
struct KernelTable {
  InstructionSet instructions;
  const PerElementType<DepthwiseKernels>& depthwise;
  const PerElementType<BatchNormKernels>& batch_norm;
  const PerElementType<MaxPoolKernels>& max_pool;
};

/// The kernels compiled for an instruction set, which instruction_set() has said that the processor
/// has; null for InstructionSet::none.
const KernelTable* kernel_table(InstructionSet instructions);

/// Those of the outermost living CpuKernelsGuard; null without one.
const KernelTable* active_kernels();

}  // namespace mpbench::kernels

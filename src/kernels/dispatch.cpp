#include "dispatch.hpp"

namespace mpbench::kernels {

// Defined by the files <name>_avx2.cpp and <name>_avx512.cpp.
namespace avx2 {
extern const PerElementType<DepthwiseKernels> depthwise_kernels;
extern const PerElementType<BatchNormKernels> batch_norm_kernels;
extern const PerElementType<MaxPoolKernels> max_pool_kernels;
}  // namespace avx2
namespace avx512 {
extern const PerElementType<DepthwiseKernels> depthwise_kernels;
extern const PerElementType<BatchNormKernels> batch_norm_kernels;
extern const PerElementType<MaxPoolKernels> max_pool_kernels;
}  // namespace avx512

const KernelTable* kernel_table(InstructionSet instructions) {
  static constexpr KernelTable for_avx2{InstructionSet::avx2, avx2::depthwise_kernels,
                                        avx2::batch_norm_kernels, avx2::max_pool_kernels};
  static constexpr KernelTable for_avx512{InstructionSet::avx512, avx512::depthwise_kernels,
                                          avx512::batch_norm_kernels, avx512::max_pool_kernels};
  switch (instructions) {
    case InstructionSet::avx512:
      return &for_avx512;
    case InstructionSet::avx2:
      return &for_avx2;
    case InstructionSet::none:
      break;
  }
  return nullptr;
}

}  // namespace mpbench::kernels

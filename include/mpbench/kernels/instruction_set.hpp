#pragma once

#include <string_view>

namespace mpbench::kernels {

/// The vector instructions that our kernels are compiled for. What a processor lacks is never run.
enum class InstructionSet {
  none,    ///< no kernel of ours: everything is the framework's
  avx2,    ///< AVX2, FMA and F16C
  avx512,  ///< AVX-512 F, BW, VL and DQ
};

/// The widest that this processor and operating system offer.
/// MPBENCH_KERNELS=auto|avx512|avx2|none chooses another; throws UsageError for another word, or
/// for instructions that are not there.
InstructionSet instruction_set();

std::string_view to_string(InstructionSet instructions);

}  // namespace mpbench::kernels

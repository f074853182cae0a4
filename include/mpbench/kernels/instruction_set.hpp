#pragma once

#include <string_view>

namespace mpbench::kernels {

/// The vector instructions that our kernels are compiled for. What a processor lacks is never run.
enum class InstructionSet {
  none,    ///< no kernel of ours: everything is the framework's
  avx2,    ///< AVX2, FMA and F16C
  avx512,  ///< AVX-512 F, BW, VL and DQ
};

/// Throws UsageError naming --kernels unless it is auto, avx512, avx2 or none.
void require_instruction_set(std::string_view choice);

/// What is chosen by name; for "auto" the environment's MPBENCH_KERNELS, and without it the widest
/// that this processor and operating system offer. Throws UsageError for another word, or for
/// instructions that are not there.
InstructionSet instruction_set(std::string_view choice = "auto");

std::string_view to_string(InstructionSet instructions);

}  // namespace mpbench::kernels
